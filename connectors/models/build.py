"""Making a model artefact from weights, in a child process that has torch.

The process that calls never imports torch: it checks what it can, starts
`connectors.models.export`, and moves the finished folder into place.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from connectors.models.artefact import MANIFEST, Artefact, check_pin, digest, read
from stream.errors import ModelError
from stream.specs import Precision

BUILDER = 1
"""Part of the key of caches: rises when the same weights would make other numbers."""

Runtime = Literal["both", "openvino"]


@dataclass(frozen=True, slots=True)
class Build:
    """What an artefact is made from.

    ``calibrate`` is the clip whose frames int8 is calibrated on, at ``image_size``. ``half`` keeps
    f32 weights as f16, half the size at a small loss; other precisions are always kept so.
    ``runtime`` openvino leaves the torch weights out.
    """

    weights: Path
    precision: Precision = "f32"
    calibrate: Path | None = None
    image_size: int = 640
    half: bool = False
    runtime: Runtime = "both"
    sha256: str | None = None
    name: str | None = None


def build_artefact(build: Build, folder: Path) -> Artefact:
    """Make an artefact at ``folder``, which must not exist. Takes 5 to 60 s.

    Raises `ModelError` for weights that are missing, not pinned so, not YOLOv8-seg, or when torch
    is not installed.
    """
    if folder.exists():
        raise ModelError(f"{folder}: exists already")
    _check(build)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        made = Path(scratch) / "artefact"
        _run_child(build, made, Path(scratch))
        try:
            made.rename(folder)
        except OSError:
            if not (folder / MANIFEST).is_file():  # else another process made the same one first
                raise
    return read(folder)


def cached_artefact(build: Build, cache: Path) -> Artefact:
    """The artefact for ``build`` from ``cache``, made at first use."""
    _check(build)
    made_from = (
        BUILDER,
        digest(build.weights),
        digest(build.calibrate) if build.calibrate else None,
        build.image_size if build.calibrate else None,
        build.half,
        build.runtime,
    )
    key = sha256(msgspec.json.encode(made_from)).hexdigest()[:16]
    folder = cache / f"{build.name or build.weights.stem}-{build.precision}-{key}"
    return read(folder) if (folder / MANIFEST).is_file() else build_artefact(build, folder)


def _check(build: Build) -> None:
    if not build.weights.is_file():
        raise ModelError(f"model.weights: {build.weights}: no such file")
    if build.weights.suffix != ".pt":
        raise ModelError(
            f"model.weights: {build.weights}: allowed: a model artefact (a folder with "
            f"{MANIFEST}) or YOLOv8-seg weights (.pt)"
        )
    if build.sha256 is not None:
        check_pin(build.weights, digest(build.weights), build.sha256)
    if build.precision == "int8" and build.calibrate is None:
        raise ModelError("precision int8 needs a clip to calibrate on: --calibrate CLIP")
    if build.precision != "int8" and build.calibrate is not None:
        raise ModelError(f"--calibrate: only int8 is calibrated, given precision {build.precision}")
    if build.calibrate is not None and not build.calibrate.is_file():
        raise ModelError(f"--calibrate {build.calibrate}: no such file")


def _run_child(build: Build, made: Path, scratch: Path) -> None:
    needs = ["torch", "ultralytics", "openvino", "safetensors"]
    needs += ["nncf"] if build.precision == "int8" else []
    if missing := [name for name in needs if find_spec(name) is None]:
        extra = "segment,openvino" + (",int8" if build.precision == "int8" else "")
        raise ModelError(
            f"making a model artefact from {build.weights.name} needs {', '.join(missing)}: "
            f"pip install maskstream[{extra}]"
        )
    request = msgspec.json.encode({"build": build, "folder": made}, enc_hook=str)
    environment = {
        **os.environ,
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        "YOLO_CONFIG_DIR": str(scratch),
    }
    done = subprocess.run(
        [sys.executable, "-m", "connectors.models.export"],
        input=request,
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ModelError(f"model.weights: {build.weights}: {''.join(last) or 'the export failed'}")
