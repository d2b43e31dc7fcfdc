"""What a torch device finds in a batch is what numpy finds in each picture, to the bit.

The networks here give made-up outputs whose sums and means are exact in float32, whatever the order
they are made in: bins that are certain or stand between two, prototypes and weights in eighths. So
boxes and run edges must be equal, not alike. Only scores may differ in their last digit, as numpy
and torch each have an exponential of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectors.models.candidates import MOST_KEPT
from connectors.models.host_detections import detect, split
from connectors.models.letterbox import fit
from connectors.models.network import Detection, Query
from stream.types import Size

IMAGE_SIZE = 128
STRIDES = (8, 16)
LABELS = 3
SURE = 200.0
WINDOWS = [(72, 128), (432, 768), (54, 96), (128, 128), (97, 33), (576, 704)]
"""Sizes whose prototypes are enlarged by 1, 2 and 4, and then scaled up and down."""


@dataclass
class Prescribed:
    """A network whose outputs are these, (batch, rows, columns, channels), whatever it is shown."""

    outputs: list[NDArray[np.float32]]
    sizes: tuple[int, ...] = (1, 2, 4)
    strides: tuple[int, ...] = STRIDES
    labels: int = LABELS
    dtype: str = "float32"

    def run(self, pictures: Any) -> tuple[Any, ...]:
        import torch

        dtype = getattr(torch, self.dtype)
        return tuple(torch.from_numpy(out[: len(pictures)]).to(dtype) for out in self.outputs)


def slot_of(network: Prescribed, shape: Size) -> Any:
    import torch

    from connectors.models.torch_slot import TorchSlot
    from connectors.models.torch_streams import open_stream

    return TorchSlot(network, open_stream(torch.device("cpu")), shape)


def eighths(rng: np.random.Generator, most: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return (rng.integers(-8 * most, 8 * most + 1, shape) / 8).astype(np.float32)


def made_up(rng: np.random.Generator, shape: Size, crowd: float) -> Prescribed:
    """Outputs for four pictures, in which a ``crowd`` (a part) of the cells are above 0.25."""
    outputs = []
    for stride in STRIDES:
        cells = (4, shape[0] // stride, shape[1] // stride)
        bins = np.zeros((*cells, 4, 16), np.float32)
        for _ in range(2):  # one bin is certain, or two are even
            np.put_along_axis(bins, rng.integers(0, 16, (*cells, 4, 1)), SURE, -1)
        seen = rng.random((*cells, 1)) < crowd
        labels = np.where(seen, rng.integers(-8, 9, (*cells, LABELS)) / 4, -9)
        weights = eighths(rng, 2, (*cells, 32))
        outputs += [bins.reshape(*cells, 64), labels.astype(np.float32), weights]
    outputs.append(eighths(rng, 4, (4, shape[0] // 4, shape[1] // 4, 32)))
    return Prescribed(outputs)


def query(window: Size, **asked: Any) -> Query:
    geometry = fit(window, IMAGE_SIZE, 32)
    return replace(Query(geometry, (0, 0), window[0], 0.25, 0.7, None), **asked)


def on_host(network: Prescribed, queries: Sequence[Query]) -> list[list[Detection]]:
    raws = split(network.outputs, network.strides, len(queries))
    return [detect(raw, query) for raw, query in zip(raws, queries, strict=True)]


def on_device(network: Prescribed, queries: Sequence[Query]) -> list[list[Detection]]:
    slot = slot_of(network, queries[0].geometry.network)
    found: list[list[Detection]] = slot.detect(queries)
    return found


def assert_same(ours: list[list[Detection]], theirs: list[list[Detection]]) -> None:
    assert [[each.label for each in found] for found in ours] == [
        [each.label for each in found] for found in theirs
    ]
    for found, expected in zip(ours, theirs, strict=True):
        for one, other in zip(found, expected, strict=True):
            assert one.box == other.box
            assert one.score == pytest.approx(other.score, abs=1e-6)
            np.testing.assert_array_equal(one.edges, other.edges)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Prescribed, list[Query]]:
    """Up to four views of one network shape, each with its own window, place, and wishes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = fit(draw(st.sampled_from(WINDOWS)), IMAGE_SIZE, 32).network
    alike = [window for window in WINDOWS if fit(window, IMAGE_SIZE, 32).network == shape]
    crowd = draw(st.sampled_from([0.0, 0.02, 0.1, 0.5]))
    queries = [
        query(
            window,
            corner=(draw(st.integers(0, 50)), draw(st.integers(0, 50))),
            frame_height=window[0] + 50,
            confidence=draw(st.sampled_from([0.05, 0.25, 0.5, 0.8])),
            iou=draw(st.sampled_from([0.1, 0.5, 0.7, 1.0])),
            wanted=draw(st.none() | st.just(rng.random(LABELS) < 0.5)),
        )
        for window in draw(st.lists(st.sampled_from(alike), min_size=1, max_size=4))
    ]
    # What is made up is the same number in each of them.
    dtype = draw(st.sampled_from(["float32", "float16", "bfloat16"]))
    return replace(made_up(rng, shape, crowd), dtype=dtype), queries


@settings(max_examples=50, deadline=None)
@given(batches())
def test_a_device_finds_in_a_batch_what_the_host_finds_in_each_picture(
    reference: None, batch: tuple[Prescribed, list[Query]]
) -> None:
    assert_same(on_device(*batch), on_host(*batch))


def test_more_candidates_than_there_was_room_for_are_all_judged(reference: None) -> None:
    network = made_up(np.random.default_rng(5), (128, 128), 1.0)
    whole = query((128, 128), confidence=0.01, iou=1.0)
    assert sum(output.shape[1] * output.shape[2] for output in network.outputs[:-1:3]) > 256
    expected = on_host(network, [whole])
    assert len(expected[0]) == MOST_KEPT
    assert_same(on_device(network, [whole]), expected)


def test_a_chain_of_boxes_that_each_suppress_the_next_is_followed_to_its_end(
    reference: None,
) -> None:
    """Every second box stays, and who stays hangs on all before it: more rounds than there were."""
    rng = np.random.default_rng(0)
    network = made_up(rng, (32, 128), 0.0)
    bins, labels = network.outputs[0], network.outputs[1]
    bins[:] = 0
    for side, at in enumerate((4, 3, 4, 3)):  # neighbours overlap by 7/9, every second by 6/10
        bins[..., 16 * side + at] = SURE
    labels[0, 1, :, 0] = np.linspace(3, 1, labels.shape[2])
    found = on_device(network, [query((32, 128), iou=0.65)])
    assert_same(found, on_host(network, [query((32, 128), iou=0.65)]))
    assert len(found[0]) == labels.shape[2] // 2


@pytest.mark.parametrize("confidence", [0.25, 0.999])
def test_pictures_without_a_candidate_have_nothing(reference: None, confidence: float) -> None:
    network = made_up(np.random.default_rng(1), (96, 128), 0.0)
    asked = [query((72, 128), confidence=confidence)] * 3
    assert on_device(network, asked) == [[], [], []]


def test_places_that_nobody_asked_for_are_empty(reference: None) -> None:
    network = made_up(np.random.default_rng(2), (96, 128), 0.2)
    asked = [query((72, 128))] * 3
    assert_same(on_device(network, asked), on_host(network, asked))


def test_a_mask_that_is_empty_has_no_edges(reference: None) -> None:
    network = made_up(np.random.default_rng(3), (96, 128), 0.1)
    network.outputs[-1][...] = 0
    found = on_device(network, [query((72, 128))])
    assert_same(found, on_host(network, [query((72, 128))]))
    assert {len(each.edges) for each in found[0]} == {0}


def test_masks_that_outgrow_the_room_are_made_again_and_not_cut(reference: None) -> None:
    """Views that get more and more crowded, and then calm ones, on one slot."""
    rng = np.random.default_rng(4)
    shape = (128, 128)
    network = made_up(rng, shape, 0.0)
    slot = slot_of(network, shape)
    asked = [query((128, 128), iou=0.9)] * 2
    for crowd in (0.0, 0.05, 0.3, 1.0, 0.3, 0.05):
        network.outputs = made_up(rng, shape, crowd).outputs
        assert_same(slot.detect(asked), on_host(network, asked))


def test_prototypes_are_enlarged_from_the_first_window_on_that_needs_it(reference: None) -> None:
    network = made_up(np.random.default_rng(7), (128, 128), 0.1)
    slot = slot_of(network, (128, 128))
    for windows in ([(128, 128)], [(576, 704), (128, 128)], [(128, 128)]):
        asked = [query(window) for window in windows]
        assert_same(slot.detect(asked), on_host(network, asked))


def test_numbers_that_are_none_are_no_instance_with_a_mask(reference: None) -> None:
    """Half precision may overflow; what it gives then must not reach outside of anything."""
    network = made_up(np.random.default_rng(6), (96, 128), 0.1)
    network.outputs[0][...] = np.nan
    network.outputs[3][...] = np.inf
    (found,) = on_device(network, [query((72, 128))])
    assert all(len(each.edges) == 0 for each in found)


@pytest.mark.parametrize("more", [{}, {"candidates": 1024, "enlarged": 1 << 12, "knots": 1 << 21}])
def test_on_a_card_no_shape_hangs_on_the_data_and_nothing_waits_for_the_host(
    reference: None, more: dict[str, int]
) -> None:
    """Tensors that know their device and shape and have no values: who asks for one, or mixes
    devices, raises.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from connectors.models.device_boxes import anchors, keep
    from connectors.models.device_detections import pack
    from connectors.models.device_masks import edges
    from connectors.models.device_queries import FIGURES, queries
    from connectors.models.device_room import LEAST

    room = LEAST._replace(**more)
    with FakeTensorMode(), torch.inference_mode():
        card = torch.device("cuda")
        half = {"device": card, "dtype": torch.float16}
        outputs = [
            torch.empty(4, 128 // stride, 128 // stride, channels, **half)
            for stride in STRIDES
            for channels in (64, LABELS, 32)
        ]
        outputs.append(torch.empty(4, 32, 32, 32, **half))
        asked = queries(torch.empty(4, FIGURES + LABELS, device=card, dtype=torch.float64))
        cells = anchors((128, 128), STRIDES, card)
        boxes = keep(outputs, cells, asked, room.candidates, room.rounds)
        packed = pack(boxes, edges(outputs[-1], boxes, asked, room))
    assert packed.device.type == "cuda"
    # Box, score, label and end of its edges for each place, and a count for each picture.
    assert len(packed) == len(room) + 4 + 7 * 4 * MOST_KEPT + 1 + room.edges
