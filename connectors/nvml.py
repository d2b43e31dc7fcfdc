"""What NVIDIA's cards are doing, as their driver tells (NVML): busy time and memory.

``nvidia-ml-py`` is wanted only where there is a card; without it, or without a driver, there are
no cards here. Calls take up to some milliseconds: not on the event loop.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Card:
    """One card now; what it does not tell is None, as its work where it is split up (MIG).

    ``busy`` is the share of the driver's last period (up to a second) in which it worked; ``used``
    and ``memory`` are bytes.
    """

    index: int
    busy: float | None
    used: int | None
    memory: int | None


class Cards:
    """All cards that the driver shows to this process, through the module ``nvml`` of nvidia-ml-py.

    ``CUDA_VISIBLE_DEVICES`` hides none of them and changes no number: NVML does not read it.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        count = nvml.nvmlDeviceGetCount()
        self._handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]

    def sample(self) -> list[Card]:
        """Each of them."""
        return [self._sample(index, handle) for index, handle in enumerate(self._handles)]

    def _sample(self, index: int, handle: Any) -> Card:
        memory = self._asked(self._nvml.nvmlDeviceGetMemoryInfo, handle)
        rates = self._asked(self._nvml.nvmlDeviceGetUtilizationRates, handle)
        return Card(
            index,
            None if rates is None else rates.gpu / 100,
            None if memory is None else int(memory.used),
            None if memory is None else int(memory.total),
        )

    def _asked(self, question: Callable[[Any], Any], handle: Any) -> Any:
        try:
            return question(handle)
        except self._nvml.NVMLError:
            return None


@contextmanager
def open_cards() -> Iterator[Cards | None]:
    """The cards; None where there is none, or none that can be asked: no driver, no nvidia-ml-py,
    a card that fell off its bus. Nobody's work depends on it.
    """
    if find_spec("pynvml") is None:
        yield None
        return
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield _found(pynvml)
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _found(nvml: Any) -> Cards | None:
    try:
        return Cards(nvml)
    except nvml.NVMLError as error:
        _log.warning("cards cannot be measured: %s", error)
        return None
