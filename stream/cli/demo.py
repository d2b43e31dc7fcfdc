"""``maskstream demo``: the whole pipeline on a drawn yard, or on somebody's own picture."""

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import get_args

from rich.console import Console

from connectors.models.artefact import read
from stream.cli.logs import logged
from stream.cli.model import one_of
from stream.cli.run import play
from stream.config import Settings, load, redact
from stream.config.redact import has_secret
from stream.config.urls import camera_url_fault
from stream.errors import ConfigError
from stream.specs import AllowedSpec, CameraSpec, ModelSpec, Precision, file_path


def run_demo(
    camera: str | None, model: Path | None, precision: str | None, port: int, once: bool
) -> None:
    """Play until Ctrl-C, or once, and print the table; the log says what happens meanwhile.

    What cannot be shown is refused before, in plain words.
    """
    settings = demo_settings(once)
    if precision is not None and model is None:
        raise ConfigError("--precision is for the model that --model names")
    if camera is not None or model is not None:
        if camera is None or model is None:
            raise ConfigError(
                "--camera and --model go together: the demo's own model knows nothing but the yard"
            )
        spec = _camera(camera, once)
        network = ModelSpec(weights=model.absolute(), precision=_precision(model, precision))
        settings = settings.model_copy(
            update={"cameras": (spec,), "model": network, "zones": (), "rules": ()}
        )
    with logged("run"):
        asyncio.run(play(settings, Console(), port))


def demo_settings(once: bool) -> Settings:
    """The settings of the drawn yard, as they are shipped."""
    settings = load(Path(str(files("connectors.demo").joinpath("data/demo.yaml"))))
    (yard,) = settings.cameras
    return settings.model_copy(update={"cameras": (yard.model_copy(update={"loop": not once}),)})


def _camera(url: str, once: bool) -> CameraSpec:
    """A live camera: a file plays at its own pace, and again and again unless ``once``."""
    path = file_path(url)
    if path is not None:
        return CameraSpec(id="camera", url=str(path.absolute()), loop=not once)
    if url.partition(":")[0].lower() not in AllowedSpec().schemes:
        raise ConfigError(f"--camera: given {redact(url)}; allowed: a file, rtsp://…, rtsps://…")
    if (fault := camera_url_fault(url, AllowedSpec(), Path.cwd())) is not None:
        hint = ", in a configuration for maskstream run" if has_secret(url) else ""
        raise ConfigError(f"--camera: given {redact(url)}; {fault}{hint}")
    return CameraSpec(id="camera", url=url)


def _precision(model: Path, given: str | None) -> Precision:
    """What was asked for; else the artefact's own, and f32 for weights."""
    if given is not None:
        return one_of("--precision", given, get_args(Precision))
    return read(model).manifest.precision if model.is_dir() else "f32"
