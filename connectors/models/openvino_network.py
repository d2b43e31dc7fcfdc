"""The raw network on OpenVINO: no torch in the process.

One picture a request, as many requests as the device asks for: on a CPU several small runs side
by side finish more frames than one run on all cores.
"""

from collections.abc import Collection, Sequence
from threading import Lock
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.models.artefact import OPENVINO, Artefact
from connectors.models.host_detections import Raw, detect, split
from connectors.models.letterbox import fit
from connectors.models.network import Detection, Query
from connectors.models.silent import openvino
from stream import tracing
from stream.errors import ModelError
from stream.specs import Precision
from stream.types import Size

STRIDES = (8, 16, 32)

_HINT = {"f32": "f32", "bf16": "bf16", "fp16": "f16"}
_CAPABILITY = {"bf16": "BF16", "fp16": "FP16"}


def precisions(wanted: Precision, capabilities: Collection[str], cpu: str) -> tuple[str, str]:
    """The precision as results name it, and OpenVINO's hint, which takes bf16 unless told.

    What int8 leaves in float runs in bf16 where the CPU has it. Raises `ModelError` where the CPU
    does not compute in the wanted precision.
    """
    if wanted == "int8":
        rest = "bf16" if "BF16" in capabilities else "f32"
        return f"int8+{rest}", rest
    if (needed := _CAPABILITY.get(wanted)) is not None and needed not in capabilities:
        raise ModelError(
            f"model.precision: {wanted}, but this CPU ({cpu}) does not compute in {wanted}; use f32"
        )
    return wanted, _HINT[wanted]


class OpenVinoNetwork:
    """An artefact on the CPU, compiled once for each network shape that comes.

    The shape of a 16:9 picture is compiled at once: it is the likeliest, and only a compiled
    network knows how many requests keep the CPU busy.
    """

    batch_size = 1

    def __init__(self, artefact: Artefact, image_size: int) -> None:
        self._core = openvino.Core()
        self.precision, self._hint = precisions(
            artefact.manifest.precision,
            self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
            self._core.get_property("CPU", "FULL_DEVICE_NAME"),
        )
        path = artefact.folder / OPENVINO
        try:
            self._graph = self._core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"model.weights: {path}: not an OpenVINO network: {error}") from error
        self._compiled: dict[Size, Any] = {}
        self._lock = Lock()
        wide = fit((9, 16), image_size, artefact.manifest.stride).network
        requests = self._network(wide).get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.in_flight = int(requests) + 1  # one more is pre- or post-processed meanwhile

    def slot(self, shape: Size) -> "OpenVinoSlot":
        """A request of the network compiled for this shape; the first of a shape compiles it.

        One at a time: where two threads look at their first tensors at once, one of OpenVINO's
        bindings waits for the other with the GIL held, and the other waits for the GIL, for ever.
        """
        with self._lock:
            return OpenVinoSlot(self._network(shape).create_infer_request())

    def _network(self, shape: Size) -> Any:
        if shape not in self._compiled:
            graph = self._graph.clone()
            graph.reshape([self.batch_size, *shape, 3])
            settings = {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": self._hint,
            }
            self._compiled[shape] = self._core.compile_model(graph, "CPU", settings)
        return self._compiled[shape]


class OpenVinoSlot:
    """One infer request; its tensors stay where they are, so each is wrapped only once."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.network_s = 0.0
        self.pictures: NDArray[np.uint8] = request.get_input_tensor().data
        count = len(request.model_outputs)
        outputs = [request.get_output_tensor(index).data for index in range(count)]
        self._raw = split(outputs, STRIDES, len(self.pictures))

    def infer(self) -> Sequence[Raw]:
        """Run the request and wait for it; the GIL is free meanwhile.

        What comes back is valid until the next run of this slot.
        """
        began_s = perf_counter()
        self._request.start_async()
        self._request.wait()
        self.network_s = perf_counter() - began_s
        return self._raw

    def warm_up(self) -> None:
        """Run once on what is there."""
        self.infer()

    def detect(self, queries: Sequence[Query]) -> list[list[Detection]]:
        """What is found in the first pictures, one a query."""
        with tracing.span("network"):
            found = self.infer()
        with tracing.span("post-processing"):
            return [detect(raw, query) for raw, query in zip(found, queries, strict=False)]
