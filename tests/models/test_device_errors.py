"""A full device and a failed one are told apart, by what torch raises for each."""

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from stream.errors import DeviceError, OutOfMemoryError

OnDevice = Callable[[Callable[[], Any]], Any]

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB"
MORE = "\nCUDA kernel errors might be asynchronously reported at some other API call"


@pytest.fixture
def on_device(reference: None) -> OnDevice:
    from connectors.models import device_errors

    return device_errors.on_device


def raising(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_what_is_computed_comes_back(on_device: OnDevice) -> None:
    assert on_device(lambda: 7) == 7


def test_a_full_device_is_out_of_memory(on_device: OnDevice) -> None:
    import torch

    for error in (
        torch.OutOfMemoryError(FULL),
        torch.AcceleratorError(f"CUDA error: out of memory{MORE}"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ):
        with pytest.raises(OutOfMemoryError) as raised:
            on_device(raising(error))
        assert str(raised.value) == str(error).partition("\n")[0]


def test_any_other_error_of_the_device_is_for_good(on_device: OnDevice) -> None:
    import torch

    for error in (
        torch.AcceleratorError(f"CUDA error: an illegal memory access was encountered{MORE}"),
        torch.AcceleratorError("CUDA error: unspecified launch failure"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ):
        with pytest.raises(DeviceError) as raised:
            on_device(raising(error))
        assert str(raised.value) == str(error).partition("\n")[0]


def test_an_error_that_is_not_the_devices_stays_what_it_is(on_device: OnDevice) -> None:
    for error in (RuntimeError("expected 4-dimensional input"), ValueError("CUDA")):
        with pytest.raises(type(error)) as raised:
            on_device(raising(error))
        assert raised.value is error


def test_nothing_is_held_of_what_did_not_fit(on_device: OnDevice) -> None:
    import torch

    held = []

    def call() -> None:
        given = torch.zeros(8)
        held.append(weakref.ref(given))
        raise torch.OutOfMemoryError(FULL)

    with pytest.raises(OutOfMemoryError) as raised:
        on_device(call)
    assert held[0]() is None
    assert raised.value.__context__ is None
