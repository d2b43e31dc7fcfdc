"""A batch that the device has no room for is halved, down to single views."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import DeviceError, OutOfMemoryError
from stream.halving import room, segmented
from stream.ports import View, Window
from stream.stages import Spent, untold
from stream.types import Instance
from tests.support.build import picture
from tests.support.models import BrightModel, CrampedModel, PickyModel

WINDOW = Window(0, 0, 64, 48)


def bright(column: int) -> View:
    """A view with one bright rectangle that tells it from others."""
    return View(picture((column, 4, column + 3, 9)), WINDOW)


@given(views=st.integers(1, 24), fitting=st.integers(1, 24))
def test_every_view_has_its_own_answer_as_long_as_one_fits(views: int, fitting: int) -> None:
    model = CrampedModel(BrightModel(), 24, fitting)
    answers = asyncio.run(segmented(model, [bright(column) for column in range(views)]))
    assert [found[0].box[0] for found in answers if not isinstance(found, Exception)] == [
        *range(views)
    ]
    assert sum(count for count in model.tried if count <= fitting) == views


async def test_a_batch_is_halved_until_its_parts_fit() -> None:
    model = CrampedModel(BrightModel(), 8, 2)
    await segmented(model, [bright(column) for column in range(8)])
    assert model.tried == [8, 4, 2, 2, 4, 2, 2]


async def test_a_view_that_does_not_fit_alone_costs_itself() -> None:
    answers = await segmented(PickyModel(8), [bright(column) for column in (4, 9, 0, 1)])
    assert [isinstance(each, OutOfMemoryError) for each in answers] == [False, False, True, False]


class BrokenModel(BrightModel):
    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        self.batches.append(len(batch))
        raise DeviceError("an illegal memory access")


async def test_a_device_that_failed_is_not_asked_again() -> None:
    model = BrokenModel(4)
    with pytest.raises(DeviceError, match="illegal memory access"):
        await segmented(model, [bright(column) for column in range(4)])
    assert model.batches == [4]


@pytest.mark.parametrize(("fitting", "found"), [(8, 8), (7, 4), (4, 4), (3, 2), (1, 1)])
async def test_the_room_is_found_by_halving(fitting: int, found: int) -> None:
    assert await room(CrampedModel(BrightModel(), 8, fitting), bright(0)) == found


async def test_a_device_without_room_for_one_view_says_so() -> None:
    with pytest.raises(OutOfMemoryError, match="no room for 1 views"):
        await room(CrampedModel(BrightModel(), 8, 0), bright(0))
