"""What torch raises when its device is full or failed, as errors of ours."""

import re
from collections.abc import Callable
from typing import TypeVar

import torch

from stream.errors import DeviceError, MaskstreamError, OutOfMemoryError

Answer = TypeVar("Answer")

_FULL = re.compile(r"out of memory|_STATUS_ALLOC_FAILED")
_OF_DEVICE = re.compile(r"CUDA|CUBLAS|CUDNN|cuDNN")
"""Torch's checks of the libraries below it raise plain `RuntimeError`s: ``CUDA error: …``, ``CUDA
error: CUBLAS_STATUS_…``, ``cuDNN error: CUDNN_STATUS_…``."""


def on_device(call: Callable[[], Answer]) -> Answer:
    """What ``call`` returns.

    Raises `OutOfMemoryError` where the device has no room for it; by then nothing holds on to what
    ``call`` had there, so that less may fit. Raises `DeviceError` where it failed otherwise: after
    that CUDA fails every call of the process.
    """
    try:
        return call()
    except RuntimeError as error:
        if (ours := _ours(error)) is None:
            raise
    raise ours  # here, where torch's error and the frames that it holds are gone


def _ours(error: RuntimeError) -> MaskstreamError | None:
    text = str(error)
    said = text.partition("\n")[0]
    if isinstance(error, torch.OutOfMemoryError) or (
        _OF_DEVICE.search(text) and _FULL.search(text)
    ):
        return OutOfMemoryError(said)
    if isinstance(error, torch.AcceleratorError) or _OF_DEVICE.search(text):
        return DeviceError(said)
    return None
