"""A segmenter that needs no weights: what is bright is an instance."""

import asyncio
from collections.abc import Sequence

import cv2
import numpy as np

from stream.errors import OutOfMemoryError
from stream.masks import Mask
from stream.ports import Model, View, Window
from stream.stages import Spent, untold
from stream.types import Instance, ModelRef, Size

THRESHOLD = 127
STRIDE = 32


class BrightModel:
    """Finds the bright parts of a view: a `stream.ports.Model` with exact masks.

    A connected part is one instance; its score is its mean brightness, from 0 to 1, and its label
    ``red`` where blue is dark, else ``white``. ``batches`` remembers how many views came together.
    """

    labels: tuple[str, ...] = ("white", "red")

    def __init__(self, batch_size: int = 1, in_flight: int = 1) -> None:
        self.ref = ModelRef("bright", "b" * 64, "f32")
        self.batch_size = batch_size
        self.in_flight = in_flight
        self.batches: list[int] = []

    def shape(self, window: Window) -> Size:
        """The window, each side rounded up to a whole number of strides."""
        return -(-window.height // STRIDE) * STRIDE, -(-window.width // STRIDE) * STRIDE

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """The instances of each view, brightest first."""
        assert 0 < len(batch) <= self.batch_size
        assert len({self.shape(view.window) for view in batch}) == 1
        self.batches.append(len(batch))
        await asyncio.sleep(0)
        return [_instances(view) for view in batch]


class CrampedModel:
    """A model on a device that has ``room`` for so many views at once; ``tried`` are the sizes of
    the batches that it was asked for. It asks ``model`` for one view after the other.
    """

    def __init__(self, model: Model, batch_size: int, room: int) -> None:
        self.ref = model.ref
        self.labels = model.labels
        self.in_flight = model.in_flight
        self.batch_size = batch_size
        self.room = room
        self.tried: list[int] = []
        self._model = model

    def shape(self, window: Window) -> Size:
        """As the model's."""
        return self._model.shape(window)

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """The model's answers; raises `OutOfMemoryError` where there is no room for all at once."""
        assert 0 < len(batch) <= self.batch_size
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise OutOfMemoryError(f"no room for {len(batch)} views")
        return [(await self._model.segment([view]))[0] for view in batch]


class PickyModel(BrightModel):
    """Has no room for a view with something bright at its left edge, not even alone."""

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """As `BrightModel`; raises `OutOfMemoryError` where such a view is among them."""
        if any((view.pixels[:, 0] > THRESHOLD).any() for view in batch):
            raise OutOfMemoryError("no room for it")
        return await super().segment(batch, spent)


def _instances(view: View) -> tuple[Instance, ...]:
    window = view.window
    seen = view.pixels[window.y : window.y + window.height, window.x : window.x + window.width]
    bright = (seen.max(axis=2) > THRESHOLD).astype(np.uint8)
    count, parts = cv2.connectedComponents(bright)
    found = [_instance(view, seen, parts == part) for part in range(1, count)]
    kept = [each for each in found if _is_kept(view, each)]
    return tuple(sorted(kept, key=lambda each: -each.score))


def _instance(view: View, seen: np.ndarray, part: np.ndarray) -> Instance:
    mask = Mask.from_bitmap(view.pixels.shape[:2], part, view.window.x, view.window.y)
    blue, _, red = seen[part].mean(axis=0)
    label = "red" if red - blue > THRESHOLD else "white"
    x1, y1, x2, y2 = map(float, mask.box)
    return Instance(label, round(float(max(blue, red)) / 255, 6), (x1, y1, x2, y2), mask)


def _is_kept(view: View, instance: Instance) -> bool:
    is_wanted = view.labels is None or instance.label in view.labels
    return is_wanted and instance.score >= (view.confidence or 0.0)
