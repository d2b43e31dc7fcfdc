"""What only a card can show: graphs give what the same code gives eagerly, and fp16 sees enough."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.models import Artefact, Build, build_artefact, open_model
from connectors.models.segmenter import Segmenter
from stream.errors import OutOfMemoryError
from stream.masks import iou
from stream.ports import View, Window
from stream.specs import ModelSpec
from stream.types import Instance, Pixels
from tests.models.conftest import CLIPS
from tests.support.required import require

pytestmark = pytest.mark.gpu

SURE = 0.35
SEEN_IOU = 0.5
"""Masks that agree less are of two things: one is lost and one is new."""


@pytest.fixture(autouse=True)
def card(reference: None) -> None:
    import torch

    require("gpu", torch.cuda.is_available(), "no CUDA device")


def opened(artefact: Artefact, backend: str) -> Segmenter:
    precision = artefact.manifest.precision
    spec = {"weights": artefact.folder, "backend": backend, "precision": precision}
    return open_model(ModelSpec.model_validate(spec), Path(), Path())


def views(pictures: list[Pixels]) -> list[View]:
    return [View(each, Window(0, 0, each.shape[1], each.shape[0])) for each in pictures]


async def seen(model: Segmenter, many: list[View]) -> list[tuple[Instance, ...]]:
    size = model.batch_size
    batches = [many[start : start + size] for start in range(0, len(many), size)]
    return [found for batch in batches for found in await model.segment(batch)]


@pytest.mark.parametrize("size", [1, 2, 3, 8, 32])
def test_a_captured_graph_gives_what_the_same_step_gives_eagerly(
    artefact: Artefact, size: int
) -> None:
    import torch

    from connectors.models.torch_network import TorchNetwork
    from connectors.models.torch_streams import CudaStream

    network, shape = TorchNetwork(artefact), (384, 640)
    slot: Any = network.slot(shape)
    rng = np.random.default_rng(size)
    slot.pictures[:] = rng.integers(0, 256, slot.pictures.shape, np.uint8)
    stream = slot._stream
    assert isinstance(stream, CudaStream)
    slot.warm_up()
    at = next(each for each in network.sizes if each >= size)

    def both() -> None:
        slot._input.copy_(slot._staged)
        torch.testing.assert_close(
            slot._steps[at]().outputs, slot._seen(at).outputs, rtol=1e-4, atol=1e-3
        )

    stream.run(both)


async def test_batches_in_flight_say_what_each_view_alone_said(
    artefact: Artefact, pictures: Callable[[str], list[Pixels]]
) -> None:
    many = views(pictures(CLIPS[1])[:24])
    async with opened(artefact, "torch") as model:
        await model.warm_up([many[0].window])
        alone = [(await model.segment([view]))[0] for view in many]
        batches = [many[start : start + 6] for start in range(0, len(many), 6)]
        together = await asyncio.gather(*(model.segment(batch) for batch in batches))
    for one, other in zip(alone, [found for batch in together for found in batch], strict=True):
        assert [each.label for each in one] == [each.label for each in other]
        assert all(iou(a.mask, b.mask) > 0.999 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("precision", ["f32", "fp16"])
async def test_a_card_sees_what_f32_sees_on_the_cpu(
    clip: str,
    precision: Any,
    weights: Path,
    artefact: Artefact,
    pictures: Callable[[str], list[Pixels]],
    tmp_path: Path,
) -> None:
    """At most 1 % of the sure instances are lost or new, and the masks agree by 0.98."""
    many = views(pictures(clip))
    made = build_artefact(Build(weights, precision), tmp_path / precision)
    async with opened(artefact, "openvino") as f32, opened(made, "torch") as card:
        ours, theirs = await seen(card, many), await seen(f32, many)
    agreed: list[float] = []
    flips = sure = 0
    for one, other in zip(ours, theirs, strict=True):
        for mine, yours in ((one, other), (other, one)):
            best = [
                max((iou(each.mask, rival.mask) for rival in yours), default=0.0)
                for each in mine
                if each.score >= SURE
            ]
            flips += sum(value < SEEN_IOU for value in best)
            if mine is other:
                sure += len(best)
                agreed += [value for value in best if value >= SEEN_IOU]
    print(f"{clip}, {precision}: {flips} of {sure} lost or new, mean IoU {np.mean(agreed):.4f}")
    assert sure > 0
    assert flips <= 0.01 * sure
    assert np.mean(agreed) >= 0.98


async def test_a_batch_without_memory_is_told_of_and_the_next_one_goes_well(
    artefact: Artefact, pictures: Callable[[str], list[Pixels]]
) -> None:
    import torch

    many = views(pictures(CLIPS[0])[:4])
    async with opened(artefact, "torch") as model:
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(1e-5)
        try:
            with pytest.raises(OutOfMemoryError):
                await model.segment(many)
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert len(await model.segment(many[:1])) == 1
