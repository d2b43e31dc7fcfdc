"""From the ``model`` section of the settings to a model that runs."""

from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from connectors.models.artefact import TORCH, Artefact, Manifest, read
from connectors.models.build import Build, cached_artefact
from connectors.models.network import Network
from connectors.models.segmenter import Segmenter
from stream.errors import ModelError
from stream.specs import ModelSpec
from stream.types import ModelRef


def open_model(spec: ModelSpec, base_dir: Path, cache_dir: Path) -> Segmenter:
    """The model of a ``model`` section; paths in it are relative to ``base_dir``.

    Weights (.pt) are made into an artefact under ``cache_dir`` at first use (up to a minute).
    Blocks while it reads and compiles: call it off the event loop. Raises `ModelError` for
    anything that does not fit: hash, task, labels, precision, or what is not installed.
    """
    artefact = _artefact(spec, base_dir / spec.weights, cache_dir)
    manifest = artefact.manifest
    _check(spec, manifest)
    network = _network(spec, artefact)
    ref = ModelRef(manifest.name, manifest.sha256, network.precision)
    return Segmenter(network, spec, ref, manifest.labels, manifest.stride)


def _artefact(spec: ModelSpec, path: Path, cache_dir: Path) -> Artefact:
    if path.is_dir():
        return read(path, spec.sha256)
    if spec.precision == "int8" and path.is_file():
        raise ModelError(
            f"model.precision: int8 of {path} needs a calibrated artefact: "
            f"maskstream model build {path} --precision int8 --calibrate CLIP"
        )
    return cached_artefact(Build(path, spec.precision, sha256=spec.sha256), cache_dir / "models")


def _check(spec: ModelSpec, manifest: Manifest) -> None:
    if spec.precision != manifest.precision:
        raise ModelError(
            f"model.precision: {spec.precision}, but {spec.weights} was made for "
            f"{manifest.precision}"
        )
    for index, label in enumerate(spec.labels or ()):
        if label not in manifest.labels:
            close = get_close_matches(label, manifest.labels, 1)
            hint = f"did you mean {close[0]}?" if close else f"allowed: {_few(manifest.labels)}"
            raise ModelError(f"model.labels[{index}]: {spec.weights} has no label {label}; {hint}")


def _few(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")


def _network(spec: ModelSpec, artefact: Artefact) -> Network:
    if spec.backend == "torch" or (spec.backend == "auto" and _has_cuda(artefact.manifest)):
        _need("torch", "ultralytics", extra="segment")
        from connectors.models.torch_network import TorchNetwork

        return TorchNetwork(artefact)
    _need("openvino", extra="openvino")
    from connectors.models.openvino_network import OpenVinoNetwork

    return OpenVinoNetwork(artefact, spec.image_size)


def _has_cuda(manifest: Manifest) -> bool:
    """Whether torch could run this on CUDA; torch is imported only where a device node exists."""
    if TORCH not in manifest.weights or manifest.precision == "int8":
        return False
    if not any(Path("/dev").glob("nvidia[0-9]*")) or find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _need(*packages: str, extra: str) -> None:
    if missing := [name for name in packages if find_spec(name) is None]:
        raise ModelError(
            f"model.backend: needs {', '.join(missing)}: pip install maskstream[{extra}]"
        )
