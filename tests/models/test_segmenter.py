"""The model port: batches in flight, views of a frame, filters, and no torch on OpenVINO."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from connectors.models import Artefact, open_model, openvino_network
from connectors.models.openvino_network import OpenVinoSlot
from connectors.models.segmenter import Segmenter
from stream.halving import segmented
from stream.masks import iou
from stream.ports import View, Window
from stream.specs import ModelSpec
from stream.stages import Stage
from stream.types import Instance, Pixels
from tests.support.models import CrampedModel

BOTTLES = "bottle-detection"
WHOLE = Window(0, 0, 640, 360)


@pytest.fixture
async def model(artefact: Artefact, tmp_path: Path) -> AsyncIterator[Segmenter]:
    spec = ModelSpec.model_validate({"weights": artefact.folder, "backend": "openvino"})
    async with open_model(spec, tmp_path, tmp_path) as opened:
        yield opened


@pytest.fixture
def bottles(pictures: Callable[[str], list[Pixels]]) -> list[Pixels]:
    """Frames with several bottles each."""
    return pictures(BOTTLES)[40:52]


async def one(model: Segmenter, view: View) -> tuple[Instance, ...]:
    (found,) = await model.segment([view])
    return found


def said(found: tuple[Instance, ...]) -> list[tuple[object, ...]]:
    return [(each.label, each.score, each.box, each.mask.counts) for each in found]


def test_a_result_names_the_model_its_weights_and_its_precision(
    model: Segmenter, artefact: Artefact
) -> None:
    assert model.ref == artefact.manifest.ref
    assert model.ref.precision == "f32"
    assert model.labels == artefact.manifest.labels


def test_a_16_to_9_window_runs_at_640_by_384(model: Segmenter) -> None:
    assert model.shape(Window(0, 0, 768, 432)) == (384, 640)
    assert model.shape(Window(100, 50, 432, 768)) == (640, 384)


async def test_a_batch_in_halves_says_what_one_by_one_said(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    views = [View(pixels, WHOLE) for pixels in bottles[:7]]
    expected = [said(await one(model, view)) for view in views]
    cramped = CrampedModel(model, 8, 2)
    answers = await segmented(cramped, views)
    assert [said(each) for each in answers if isinstance(each, tuple)] == expected
    assert max(cramped.tried) == 7
    assert any(expected)


async def test_many_calls_at_once_say_what_one_by_one_said(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    views = [View(pixels, WHOLE) for pixels in bottles]
    alone = [said(await one(model, view)) for view in views]
    assert any(alone)
    together = await asyncio.gather(*(one(model, view) for view in views))
    assert [said(found) for found in together] == alone


async def test_instances_come_best_first_with_masks_inside_their_boxes(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    found = await one(model, View(bottles[0], WHOLE))
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    for each in found:
        x1, y1, x2, y2 = each.mask.box
        assert each.mask.size == (360, 640)
        assert x1 >= each.box[0]
        assert y1 >= each.box[1]
        assert x2 <= np.ceil(each.box[2])
        assert y2 <= np.ceil(each.box[3])


async def test_labels_and_confidence_of_a_view_filter_its_instances(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    every = await one(model, View(bottles[0], WHOLE))
    bottle = await one(model, View(bottles[0], WHOLE, labels=frozenset({"bottle"})))
    assert {each.label for each in bottle} == {"bottle"}
    assert await one(model, View(bottles[0], WHOLE, labels=frozenset({"zebra"}))) == ()
    limit = every[0].score - 1e-6
    best = await one(model, View(bottles[0], WHOLE, confidence=limit))
    assert said(best) == said(every[:1])


async def test_the_labels_of_the_settings_hold_where_a_view_asks_for_none(
    artefact: Artefact, bottles: list[Pixels], tmp_path: Path
) -> None:
    spec = ModelSpec.model_validate(
        {"weights": artefact.folder, "backend": "openvino", "labels": ["person"]}
    )
    async with open_model(spec, tmp_path, tmp_path) as model:
        assert await one(model, View(bottles[0], WHOLE)) == ()
        assert await one(model, View(bottles[0], WHOLE, labels=frozenset({"bottle"})))


async def test_a_window_gives_the_instances_of_its_crop_in_frame_coordinates(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    window = Window(x=160, y=40, width=400, height=300)
    crop = bottles[0][40:340, 160:560].copy()
    cut = await one(model, View(crop, Window(0, 0, 400, 300)))
    placed = await one(model, View(bottles[0], window))
    assert len(placed) == len(cut) > 0
    for inside, outside in zip(cut, placed, strict=True):
        assert outside.score == inside.score
        np.testing.assert_allclose(outside.box, np.add(inside.box, (160, 40, 160, 40)), atol=1e-9)
        bitmap = outside.mask.bitmap()
        np.testing.assert_array_equal(bitmap[40:340, 160:560], inside.mask.bitmap())
        assert outside.mask.area == inside.mask.area


async def test_windows_of_other_shapes_run_beside_each_other(
    model: Segmenter, bottles: list[Pixels]
) -> None:
    tall = Window(200, 0, 200, 360)
    await model.warm_up([WHOLE, tall])
    found = await asyncio.gather(
        *(one(model, View(bottles[0], window)) for window in (WHOLE, tall, WHOLE))
    )
    assert said(found[0]) == said(found[2])
    assert all(each.mask.box[0] >= 200 for each in found[1])


async def test_requests_are_made_one_at_a_time(
    model: Segmenter, bottles: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads that make their first at once wait for each other for ever, once in a while."""
    made, most, under_way = openvino_network.OpenVinoSlot.__init__, 0, 0

    def slowly(slot: OpenVinoSlot, request: object) -> None:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.05)
        made(slot, request)
        under_way -= 1

    monkeypatch.setattr(openvino_network.OpenVinoSlot, "__init__", slowly)
    await asyncio.gather(*(one(model, View(each, WHOLE, None, None)) for each in bottles[:3]))
    assert most == 1


async def test_a_closed_model_takes_no_more_views(
    artefact: Artefact, bottles: list[Pixels], tmp_path: Path
) -> None:
    spec = ModelSpec.model_validate({"weights": artefact.folder, "backend": "openvino"})
    async with open_model(spec, tmp_path, tmp_path) as model:
        await one(model, View(bottles[0], WHOLE))
    with pytest.raises(RuntimeError, match="after shutdown"):
        await one(model, View(bottles[0], WHOLE))


async def test_a_batch_on_torch_says_what_openvino_says_of_each_view(
    model: Segmenter, artefact: Artefact, bottles: list[Pixels]
) -> None:
    """Three views in four places: one whole, one a part, one with wishes of its own."""
    from connectors.models.torch_network import TorchNetwork

    spec = ModelSpec.model_validate({"weights": artefact.folder})
    network = TorchNetwork(artefact, sizes=(1, 2, 4))
    views = [
        View(bottles[0], WHOLE),
        View(bottles[1], Window(80, 30, 560, 315)),
        View(bottles[2], WHOLE, labels=frozenset({"bottle"}), confidence=0.6),
    ]
    async with Segmenter(network, spec, model.ref, model.labels, 32) as torch:
        together = await torch.segment(views)
    for found, view in zip(together, views, strict=True):
        expected = await one(model, view)
        assert [each.label for each in found] == [each.label for each in expected]
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.score == pytest.approx(theirs.score, abs=1e-3)
            np.testing.assert_allclose(ours.box, theirs.box, atol=0.05)
            # The two networks add in another order, and so do the sums over prototypes.
            assert iou(ours.mask, theirs.mask) >= 0.999


NO_TORCH = """
import asyncio, sys
from pathlib import Path
import numpy as np
from connectors.models import open_model
from stream.ports import View, Window
from stream.specs import ModelSpec

async def main():
    spec = ModelSpec.model_validate({"weights": Path(sys.argv[1]), "backend": "openvino"})
    async with open_model(spec, Path(), Path()) as model:
        await model.segment([View(np.zeros((64, 64, 3), np.uint8), Window(0, 0, 64, 64))])

asyncio.run(main())
there = {name for name, module in sys.modules.items() if module is not None}
print(sorted({"torch", "ultralytics", "openvino", "openvino_telemetry"} & there))
"""


def test_openvino_runs_without_torch_and_reports_to_nobody(artefact: Artefact) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH, str(artefact.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['openvino']"


@pytest.mark.long
@pytest.mark.slow
async def test_int8_calibrated_on_one_clip_agrees_with_f32_on_another(
    shared: Path,
    weights: Path,
    model: Segmenter,
    pictures: Callable[[str], list[Pixels]],
    tmp_path: Path,
) -> None:
    from connectors.models import Build, build_artefact
    from connectors.models.artefact import digest

    clip = shared / "video" / "one-by-one-person-detection.mp4"
    made = build_artefact(Build(weights, "int8", calibrate=clip), tmp_path / "int8")
    assert made.manifest.calibration == digest(clip)
    spec = ModelSpec.model_validate(
        {"weights": made.folder, "backend": "openvino", "precision": "int8"}
    )
    agreed: list[float] = []
    async with open_model(spec, tmp_path, tmp_path) as int8:
        assert int8.ref.precision.startswith("int8+")
        for pixels in pictures(BOTTLES)[::5]:
            view = View(pixels, WHOLE)
            rough = await one(int8, view)
            for each in await one(model, view):
                if each.score >= 0.35:
                    alike = [iou(each.mask, other.mask) for other in rough]
                    agreed.append(max(alike, default=0.0))
    found = [value for value in agreed if value > 0.5]
    assert len(found) >= 0.95 * len(agreed)
    assert np.mean(found) >= 0.98


@pytest.mark.parametrize("backend", ["openvino", "torch"])
async def test_it_says_how_long_each_batch_is_in_each_stage(
    artefact: Artefact, tmp_path: Path, bottles: list[Pixels], backend: str
) -> None:
    told: list[tuple[Stage, int]] = []
    spec = ModelSpec.model_validate({"weights": artefact.folder, "backend": backend})
    async with open_model(spec, tmp_path, tmp_path) as model:
        began_s = time.perf_counter()
        for pixels in bottles[:3]:
            await model.segment([View(pixels, WHOLE)], lambda *each: told.append(each))
        took_us = (time.perf_counter() - began_s) * 1e6
    stages = ["segment_preprocess", "segment_network", "segment_postprocess"]
    assert [stage for stage, _ in told] == 3 * stages
    assert all(us > 0 for _, us in told)
    assert sum(us for _, us in told) <= took_us
