"""The raw network on torch: CUDA where there is one, and the CPU as the checked reference."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from connectors.models.artefact import TORCH, Artefact
from connectors.models.device_errors import on_device
from connectors.models.network import Raw, split
from connectors.models.raw_head import rebuild
from stream.errors import ModelError
from stream.types import Size

_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchNetwork:
    """An artefact's torch weights, on one device, in the artefact's precision."""

    def __init__(self, artefact: Artefact) -> None:
        manifest = artefact.manifest
        if TORCH not in manifest.weights:
            raise ModelError(
                f"model.backend: torch, but {artefact.folder} was built without {TORCH}; "
                "make it from its .pt with maskstream model build"
            )
        if manifest.precision not in _DTYPES:
            raise ModelError(
                f"model.precision: {manifest.precision} runs on openvino only; "
                f"torch computes in {', '.join(_DTYPES)}"
            )
        self.precision: str = manifest.precision
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.batch_size = 8 if self.device.type == "cuda" else 1
        self.in_flight = 2
        self._dtype = _DTYPES[manifest.precision]
        state = {
            name: tensor.float() for name, tensor in load_file(artefact.folder / TORCH).items()
        }
        network = rebuild(manifest.architecture, state)
        network = network.to(self.device, self._dtype, memory_format=torch.channels_last)
        self.strides = network.strides
        self._network = network.eval().requires_grad_(requires_grad=False)

    def slot(self, shape: Size) -> "TorchSlot":
        """Buffers for network inputs of this (height, width)."""
        return TorchSlot(self, shape)

    def run(self, pictures: torch.Tensor) -> list[NDArray[np.float32]]:
        """Raw outputs of uint8 (batch, height, width, 3) BGR, in float32 on the host.

        Raises as `connectors.models.device_errors.on_device` does.
        """
        return on_device(partial(self._run, pictures))

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _run(self, pictures: torch.Tensor) -> list[NDArray[np.float32]]:
        planes = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2).flip(1)
        outputs = self._network.run(planes.to(self._dtype) / 255)
        return [output.float().cpu().numpy() for output in outputs]


class TorchSlot:
    """One input buffer, pinned for CUDA."""

    def __init__(self, network: TorchNetwork, shape: Size) -> None:
        self._network = network
        pin = network.device.type == "cuda"
        size = (network.batch_size, *shape, 3)
        self._input = torch.zeros(size, dtype=torch.uint8, pin_memory=pin)
        self.pictures = self._input.numpy()

    def run(self, count: int) -> Sequence[Raw]:
        """Run the first ``count`` pictures and wait for them."""
        outputs = self._network.run(self._input[:count])
        return split(outputs, self._network.strides, count)
