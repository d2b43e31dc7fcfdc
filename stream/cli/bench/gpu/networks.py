"""The networks that are compared, with trained weights where these are at hand."""

from pathlib import Path

from connectors.models import Build, build_artefact
from stream.cli.bench.clips import require
from stream.cli.bench.contest import seated
from stream.cli.bench.contestants import quiet_ultralytics
from stream.cli.bench.scale import Scale
from stream.specs import Precision

SEED = 0


def weights_of(network: str, scale: Scale, folder: Path) -> tuple[Path, bool]:
    """The weights of a network, and whether they are made up, in ``folder``.

    The material's own must be there; others of its architecture may lie beside them.
    """
    path = scale.weights.with_stem(network)
    if path == scale.weights:
        return require(path), False
    if path.exists():
        return path, False
    made = folder / path.name
    with seated(made_up) as (make,):  # where torch's random state and its memory are nobody else's
        make(network, made)
    return made, True


def built(weights: Path, precision: Precision, folder: Path) -> Path:
    """The folder of the artefact of these weights."""
    return build_artefact(Build(weights, precision), folder / weights.stem).folder


def made_up() -> "_Make":
    """What writes a checkpoint of a network as it is before it has learned anything."""
    quiet_ultralytics()
    return _Make()


class _Make:
    def __call__(self, network: str, path: Path) -> None:
        import torch
        from ultralytics import YOLO

        torch.manual_seed(SEED)
        YOLO(f"{network}.yaml", task="segment", verbose=False).save(str(path))
