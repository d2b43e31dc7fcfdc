"""How often a camera's pictures come."""

from itertools import chain
from random import Random

import pytest

from connectors.video.pace import WINDOW, Pace

START = [number / 25 for number in range(4 * WINDOW)]


def first_change(times_s: list[float]) -> tuple[float, float] | None:
    pace = Pace()
    return next((found for each in times_s if (found := pace.change(each)) is not None), None)


@pytest.mark.parametrize("fps", [1, 5, 10, 25, 30, 60])
def test_a_steady_camera_does_not_change(fps: int) -> None:
    assert first_change([number / fps for number in range(10 * WINDOW)]) is None


def test_a_camera_whose_times_waver_does_not_change() -> None:
    waver = Random(1)
    assert first_change([each + waver.uniform(-0.03, 0.03) for each in START]) is None


def test_pictures_in_the_order_of_decoding_do_not_change() -> None:
    groups = ([at, at + 3, at + 1, at + 2] for at in range(0, 4 * WINDOW, 4))
    assert first_change([each / 25 for each in chain(*groups)]) is None


def test_pictures_that_come_in_parts_do_not_change() -> None:
    assert first_change(list(chain(*zip(START, START, strict=True)))) is None


def test_some_lost_pictures_are_no_change() -> None:
    loss = Random(2)
    assert first_change([each for each in START if loss.random() > 0.15]) is None


@pytest.mark.parametrize("fps", [5, 12.5, 50])
def test_another_rate_is_a_change(fps: float) -> None:
    later = [START[-1] + (number + 1) / fps for number in range(2 * WINDOW)]
    found = first_change([*START, *later])
    assert found is not None
    before, after = found
    assert before == pytest.approx(25)
    assert (after > before) == (fps > 25)
