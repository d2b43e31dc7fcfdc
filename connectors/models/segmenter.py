"""The `stream.ports.Model` of this package: letterbox and network, and instances of what it finds.

A call to `Segmenter.segment` runs from end to end on one thread of a small pool. There are a few
more threads than the device takes runs at once, so that pictures are prepared and masks are made
while the network computes, and nothing heavy runs on the event loop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from connectors.models.letterbox import Geometry, fit, letterbox
from connectors.models.network import Detection, Network, Query, Slot
from stream import tracing
from stream.masks import Mask
from stream.ports import View, Window
from stream.specs import ModelSpec
from stream.stages import Spent, untold
from stream.types import Instance, ModelRef, Size


class Segmenter:
    """Turns views into instances. Use it with ``async with``; once closed it stays closed."""

    def __init__(
        self,
        network: Network,
        spec: ModelSpec,
        ref: ModelRef,
        labels: tuple[str, ...],
        stride: int,
    ) -> None:
        self.ref = ref
        self.labels = labels
        self.batch_size = network.batch_size
        self.in_flight = network.in_flight
        self._network = network
        self._spec = spec
        self._stride = stride
        self._slots: defaultdict[Size, SimpleQueue[Slot]] = defaultdict(SimpleQueue)
        self._threads = ThreadPoolExecutor(network.in_flight, thread_name_prefix="segment")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def shape(self, window: Window) -> Size:
        """The network's input (height, width) for a window."""
        return self._geometry(window).network

    async def warm_up(self, windows: Sequence[Window]) -> None:
        """Compile the networks that these windows need, with all places that may be in flight."""
        loop = asyncio.get_running_loop()
        for shape in {self.shape(window) for window in windows}:
            await loop.run_in_executor(self._threads, self._warm_up, shape)

    def _warm_up(self, shape: Size) -> None:
        slots = [self._slot(shape) for _ in range(self.in_flight)]
        for slot in slots:
            slot.warm_up()
            self._slots[shape].put(slot)

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """The instances of each view, best score first. All views have one network shape.

        ``spent`` is told, by a thread of the pool, what the batch took in the model's stages.
        """
        loop = asyncio.get_running_loop()
        work = partial(copy_context().run, self._segment, batch, spent, perf_counter())
        return await loop.run_in_executor(self._threads, work)

    def _segment(
        self, batch: Sequence[View], spent: Spent, asked_s: float
    ) -> list[tuple[Instance, ...]]:
        geometries = [self._geometry(view.window) for view in batch]
        shape = geometries[0].network
        slot = self._slot(shape)
        try:
            with tracing.span("letterbox"):
                for view, geometry, picture in zip(batch, geometries, slot.pictures, strict=False):
                    letterbox(view.pixels, view.window, geometry, picture)
            queries = [
                self._query(view, geometry)
                for view, geometry in zip(batch, geometries, strict=True)
            ]
            ready_s = perf_counter()
            found = slot.detect(queries)
            network_s = slot.network_s
        finally:
            self._slots[shape].put(slot)
        with tracing.span("instances"):
            made = [self._instances(view, seen) for view, seen in zip(batch, found, strict=True)]
        rest_s = perf_counter() - ready_s - network_s
        spent("segment_preprocess", round((ready_s - asked_s) * 1e6))
        spent("segment_network", round(network_s * 1e6))
        spent("segment_postprocess", round(rest_s * 1e6))
        return made

    def _slot(self, shape: Size) -> Slot:
        try:
            return self._slots[shape].get_nowait()
        except Empty:
            return self._network.slot(shape)

    def _geometry(self, window: Window) -> Geometry:
        return fit((window.height, window.width), self._spec.image_size, self._stride)

    def _wanted(self, labels: frozenset[str] | None) -> NDArray[np.bool_] | None:
        chosen = self._spec.labels if labels is None else labels
        if chosen is None:
            return None
        return np.array([label in chosen for label in self.labels])

    def _query(self, view: View, geometry: Geometry) -> Query:
        return Query(
            geometry=geometry,
            corner=(view.window.x, view.window.y),
            frame_height=view.pixels.shape[0],
            confidence=view.confidence or self._spec.confidence,
            iou=self._spec.iou,
            wanted=self._wanted(view.labels),
        )

    def _instances(self, view: View, found: Sequence[Detection]) -> tuple[Instance, ...]:
        x, y = view.window.x, view.window.y
        size = view.pixels.shape[:2]
        instances = []
        for (x1, y1, x2, y2), score, label, edges in found:
            mask = Mask.from_edges(size, edges)
            if len(mask.edges):  # an instance without a pixel is dropped, as the reference does
                placed = (x1 + x, y1 + y, x2 + x, y2 + y)
                instances.append(Instance(self.labels[label], score, placed, mask))
        return tuple(instances)
