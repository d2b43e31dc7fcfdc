"""What is compared at a time: one network on pictures of one size, in growing batches."""

from dataclasses import dataclass
from pathlib import Path

from stream.cli.bench.scale import CardScale
from stream.specs import Precision
from stream.types import Size


@dataclass(frozen=True)
class Case:
    """A network, its artefact at ``folder`` and its ``weights`` (.pt), and what it is shown.

    ``pictures`` are those of `stream.cli.bench.gpu.pictures`, of the size ``source``; letterboxed
    they have ``shape``. ``made_up``: the weights were not trained, so nothing is found.
    """

    network: str
    weights: Path
    made_up: bool
    folder: Path
    precision: Precision
    pictures: Path
    source: Size
    shape: Size
    scale: CardScale

    @property
    def title(self) -> str:
        """Network, its input and the pictures, as width×height."""
        (height, width), (high, wide) = self.shape, self.source
        return f"{self.network}, {self.precision}, {width}×{height} from {wide}×{high}"
