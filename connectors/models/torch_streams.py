"""Where torch's work goes: a stream of a CUDA device, or the calling thread on the CPU.

Each stream goes its own way, so that one batch is copied in or out while another one computes. All
that only CUDA has is here; what runs on it is the same code everywhere.
"""

from collections.abc import Callable
from threading import Lock
from time import perf_counter
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from connectors.models.device_errors import on_device

Tensor = Any
_T = TypeVar("_T")

_capturing = Lock()
"""Captures wait for the whole device, which none may do while another captures."""

ROUNDS = 3
"""Runs before a capture: cuDNN tries its algorithms, and workspaces are made."""


class Stopwatch(Protocol):
    """Times work on a stream without waiting for it."""

    def start(self) -> None:
        """What is queued from here on counts."""

    def stop(self) -> None:
        """What is queued from here on does not."""

    def seconds(self) -> float:
        """How long it took; asked once something was fetched that was queued after it."""


class Stream(Protocol):
    """Work of one thread at a time, one after the other, on one device."""

    device: Any

    def host(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """A tensor of zeros on the host that the device can copy from while it works."""

    def run(self, work: Callable[[], _T]) -> _T:
        """Do ``work``, whose tensors are this stream's.

        Raises as `connectors.models.device_errors.on_device` does.
        """

    def captured(self, step: Callable[[], _T]) -> Callable[[], _T]:
        """What does as ``step`` with the tensors that it uses now, and gives the same tensors each
        time: with as little from the host as the device allows. Called within `run`.
        """

    def stopwatch(self) -> Stopwatch:
        """For work of this stream."""

    def fetch(self, values: Tensor) -> NDArray[np.int32]:
        """Wait until ``values``, (n,) int32, are there; valid until the next ones are fetched."""


def open_stream(device: Any) -> Stream:
    """A new stream of the device."""
    return CudaStream(device) if device.type == "cuda" else HostStream(device)


class HostStream:
    """The calling thread."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def host(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Memory like any other."""
        return torch.zeros(shape, dtype=dtype)

    def run(self, work: Callable[[], _T]) -> _T:
        """Do it here and now."""
        with torch.inference_mode():
            return work()

    def captured(self, step: Callable[[], _T]) -> Callable[[], _T]:
        """The step itself."""
        return step

    def stopwatch(self) -> Stopwatch:
        """Of the host: work is done as it is queued."""
        return HostStopwatch()

    def fetch(self, values: Tensor) -> NDArray[np.int32]:
        """They are there."""
        fetched: NDArray[np.int32] = values.numpy()
        return fetched


class CudaStream:
    """A stream of a card, with pinned memory on the host and the memory of its graphs."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device)
        # Blocking: who waits gives its core away, which letterboxes meanwhile.
        self._done = torch.cuda.Event(blocking=True)
        self._graphs = torch.cuda.graph_pool_handle()
        self._landing = self.host((1 << 16,), torch.int32)

    def host(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Pinned memory."""
        return torch.zeros(shape, dtype=dtype, pin_memory=True)

    def run(self, work: Callable[[], _T]) -> _T:
        """Queue it on the stream."""

        def queued() -> _T:
            with torch.inference_mode(), torch.cuda.stream(self._stream):
                return work()

        return on_device(queued)

    def captured(self, step: Callable[[], _T]) -> Callable[[], _T]:
        """The step as a CUDA graph. Graphs of a stream share memory, as they never run at once."""
        with _capturing:
            for _ in range(ROUNDS):
                step()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph,
                pool=self._graphs,
                stream=self._stream,
                capture_error_mode="thread_local",  # other threads go on with other streams
            ):
                outputs = step()

        def replay() -> _T:
            graph.replay()
            return outputs

        return replay

    def stopwatch(self) -> Stopwatch:
        """Of the card, which notes the times itself as it comes by."""
        return CudaStopwatch(self._stream)

    def fetch(self, values: Tensor) -> NDArray[np.int32]:
        """Copy into pinned memory, and wait for that."""
        count = len(values)
        if count > len(self._landing):
            self._landing = self.host((1 << (count - 1).bit_length(),), torch.int32)
        self._landing[:count].copy_(values, non_blocking=True)
        self._done.record(self._stream)
        self._done.synchronize()  # the only place where the host waits for the device
        fetched: NDArray[np.int32] = self._landing[:count].numpy()
        return fetched


class HostStopwatch:
    """See `Stopwatch`."""

    def __init__(self) -> None:
        self._began_s = self._ended_s = 0.0

    def start(self) -> None:
        """Now."""
        self._began_s = perf_counter()

    def stop(self) -> None:
        """Now."""
        self._ended_s = perf_counter()

    def seconds(self) -> float:
        """Between the two."""
        return self._ended_s - self._began_s


class CudaStopwatch:
    """See `Stopwatch`: two events of a stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._began, self._ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def start(self) -> None:
        """When the stream gets here."""
        self._began.record(self._stream)

    def stop(self) -> None:
        """When the stream gets here."""
        self._ended.record(self._stream)

    def seconds(self) -> float:
        """Between the two; both lie before what was fetched, so nothing is waited for."""
        return float(self._began.elapsed_time(self._ended)) / 1e3
