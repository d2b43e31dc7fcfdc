"""The network on torch: on CUDA where there is one, and the same code on the CPU."""

import torch
from safetensors.torch import load_file

from connectors.models.artefact import TORCH, Artefact
from connectors.models.raw_head import rebuild
from connectors.models.torch_slot import TorchSlot
from connectors.models.torch_streams import open_stream
from stream.errors import ModelError
from stream.types import Size

_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

CUDA_SIZES = (1, 2, 4, 8, 16, 32)
"""Batches of which CUDA graphs are captured; others are padded up to the next."""
CUDA_IN_FLIGHT = 4
"""Batches at once: one computes, one is copied or made into masks, and two are letterboxed."""


class TorchNetwork:
    """An artefact's torch weights, on one device, in the artefact's precision.

    ``sizes`` are those that batches are padded up to, ascending; None: those that suit the device.
    """

    def __init__(self, artefact: Artefact, sizes: tuple[int, ...] | None = None) -> None:
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
        self.device = _device()
        is_cuda = self.device.type == "cuda"
        self.sizes = sizes or (CUDA_SIZES if is_cuda else (1,))
        self.batch_size = self.sizes[-1]
        self.in_flight = CUDA_IN_FLIGHT if is_cuda else 2
        self.labels = len(manifest.labels)
        self._dtype = _DTYPES[manifest.precision]
        state = {
            name: tensor.float() for name, tensor in load_file(artefact.folder / TORCH).items()
        }
        network = rebuild(manifest.architecture, state)
        network = network.to(self.device, self._dtype, memory_format=torch.channels_last)
        self.strides = network.strides
        self._network = network.eval().requires_grad_(requires_grad=False)

    def slot(self, shape: Size) -> TorchSlot:
        """Buffers for network inputs of this (height, width), and a stream of its own."""
        return TorchSlot(self, open_stream(self.device), shape)

    def run(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Raw outputs of uint8 (batch, height, width, 3) BGR on the device, as they are."""
        planes = pictures.permute(0, 3, 1, 2).flip(1)
        outputs: tuple[torch.Tensor, ...] = self._network.run(planes.to(self._dtype) / 255)
        return outputs


def _device() -> torch.device:
    """The card where there is one, told to compute in the precision that it is asked for."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cudnn.benchmark = True  # shapes are few and come again and again
    torch.backends.cudnn.allow_tf32 = False  # f32 is float32: TF32 has 10 bits of fraction
    return torch.device("cuda")
