"""Leaving a process whose device failed: soon, whatever hangs in it."""

import logging
import os
from collections.abc import Sequence
from threading import Timer

from stream.errors import DeviceError
from stream.ports import Model, View, Window
from stream.stages import Spent, untold
from stream.types import Instance, Size

UNWIND_S = 4.0
"""For the groups to be left, which gives the partitions to others at once. What waits for the
device, as its threads do, may wait for ever; after 5 s the process has to be gone."""

_log = logging.getLogger(__name__)


class Leaving:
    """A `stream.ports.Model` whose process is over `UNWIND_S` after its device failed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.ref = model.ref
        self.labels = model.labels
        self.batch_size = model.batch_size
        self.in_flight = model.in_flight

    def shape(self, window: Window) -> Size:
        """As the model's own."""
        return self._model.shape(window)

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        """As the model's own."""
        try:
            return await self._model.segment(batch, spent)
        except DeviceError as error:
            _log.error("the device failed, and this process ends: %s", error)
            timer = Timer(UNWIND_S, os._exit, [error.exit_code])
            timer.daemon = True
            timer.start()
            raise
