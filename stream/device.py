"""Keeping the device busy: views in, instances out, several batches in flight."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from stream import tracing
from stream.batching import Batcher, Item
from stream.errors import OutOfMemoryError
from stream.halving import Instances, segmented
from stream.metrics import Metrics
from stream.ports import Clock, Model, View
from stream.stages import untold

BATCH_WAIT_US = 10_000
"""How long the first view of a batch waits for company: a tenth of a 10 fps camera's period."""


class _Waiting(NamedTuple):
    """A view, who waits for what is in it, and in which traces: of the frame, and of the wait.

    ``counts``: it is of a camera's frame, which metrics tell of.
    """

    view: View
    counts: bool
    answer: asyncio.Future[Instances]
    spans: tracing.Spans
    wait: tracing.Spans


class Device:
    """Makes batches of many frames' views and hands them to the ``model``.

    Whoever asks shares them: `run` has to go on beside all. Metrics tell of the frames of cameras
    alone, and of the batches that have one: what is tried beside them says nothing about these.
    """

    def __init__(self, model: Model, clock: Clock, metrics: Metrics) -> None:
        self.model = model
        self._clock = clock
        self._metrics = metrics
        wait_us = BATCH_WAIT_US if model.batch_size > 1 else 0
        self._batcher: Batcher[_Waiting] = Batcher(model.batch_size, wait_us)
        self._slots = asyncio.Semaphore(model.in_flight)
        self._added = asyncio.Event()

    async def segment(self, camera: str | None, live: bool, view: View) -> Instances:
        """The instances in a view, once its batch was answered. Raises what the model raised.

        ``camera`` None: a picture of no camera. A batch that the device has no room for is halved;
        a view that does not fit alone raises `OutOfMemoryError`.
        """
        answer: asyncio.Future[Instances] = asyncio.get_running_loop().create_future()
        shape = self.model.shape(view.window)
        spans = tracing.current()
        waiting = _Waiting(view, camera is not None, answer, spans, tracing.begin("wait"))
        self._batcher.add(Item(shape, camera, live, self._clock.now_us(), waiting))
        self._added.set()
        return await answer

    async def run(self) -> None:
        """Feed the model until cancelled."""
        async with asyncio.TaskGroup() as batches:
            while True:
                await self._slots.acquire()
                batch = await self._next_batch()
                batches.create_task(self._answer(batch))

    async def _next_batch(self) -> list[_Waiting]:
        while True:
            self._added.clear()
            now_us = self._clock.now_us()
            if batch := self._batcher.take(now_us):
                for item in batch:
                    if item.payload.counts:
                        with tracing.within(item.payload.spans):
                            self._metrics.spent("segment_wait", now_us - item.since_us)
                return [item.payload for item in batch]
            due_us = self._batcher.due_us()
            wait_s = None if due_us is None else max(0.0, (due_us - now_us) / 1e6)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._added.wait()

    async def _answer(self, batch: list[_Waiting]) -> None:
        began_us = self._clock.now_us()
        counts = any(each.counts for each in batch)
        spent = self._metrics.spent if counts else untold
        with tracing.within(_begun(batch)):
            try:
                answers = await segmented(self.model, [each.view for each in batch], spent)
            except Exception as error:
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(error)
            else:
                for each, instances in zip(batch, answers, strict=True):
                    if each.answer.done():
                        continue
                    if isinstance(instances, OutOfMemoryError):
                        each.answer.set_exception(instances)
                    else:
                        each.answer.set_result(instances)
            finally:
                self._slots.release()
            if counts:
                self._metrics.served(len(batch), self._clock.now_us() - began_us)


def _begun(batch: list[_Waiting]) -> tracing.Spans:
    """The spans that a batch is for, whose wait is over; several views may be of one frame."""
    for each in batch:
        tracing.end(each.wait)
    return tuple(dict.fromkeys(span for each in batch for span in each.spans))
