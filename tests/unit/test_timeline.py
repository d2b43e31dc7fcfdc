"""The timeline of ``maskstream rules test``: what is drawn lies where it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from stream.backtest import Episode, Found, Recorded, Row, Stretch
from stream.cli.rules.timeline import COLOURS, UNKNOWN, draw
from stream.types import Severity
from tests.support.clock import START_US

LEGEND_PX = 40
SECOND_US = 1_000_000
BLACK = "#000000"


def episode(begin_s: float, end_s: float, severity: Severity = "warning") -> Episode:
    begin_us, end_us = (START_US + round(each * 1e6) for each in (begin_s, end_s))
    return Episode("rule", "hall", severity, begin_us, end_us, is_open=False)


def recorded(length_s: int, *seen_s: tuple[int, int]) -> Recorded:
    end_us = START_US + length_s * SECOND_US
    stretches = [
        Stretch(START_US + begin * SECOND_US, START_US + end * SECOND_US) for begin, end in seen_s
    ]
    return Recorded(first_us=START_US, last_us=end_us, seen=stretches)


def picture(path: Path, hall: Recorded, *rows: Sequence[Episode]) -> Any:
    """The pixels below the legend, uint8 of shape (height, width, 3), BGR."""
    drawn = [Row(f"rule-{number}", "hall", tuple(each)) for number, each in enumerate(rows)]
    draw(path, drawn, Found({"hall": hall}, tuple(each for row in rows for each in row)))
    assert path.read_bytes().startswith(b"\x89PNG")
    return cv2.imread(str(path))


def coloured(pixels: Any, colour: str) -> Any:
    """Which pixels below the legend have exactly this colour: bool (height, width)."""
    bgr = [int(colour[at : at + 2], 16) for at in (5, 3, 1)]
    found = (pixels == bgr).all(axis=2)
    found[:LEGEND_PX] = False
    return found


def stretches(pixels: Any, colour: str, length_s: float) -> list[tuple[float, float]]:
    """Where along the axis a colour is, in seconds."""
    line = coloured(pixels, BLACK).sum(axis=1).argmax()
    axis = np.flatnonzero(coloured(pixels, BLACK)[line])
    left, right = axis[0], axis[-1]
    flags = coloured(pixels, colour).any(axis=0).astype(int)
    edges = np.flatnonzero(np.diff(flags, prepend=0, append=0))
    seconds = (edges - left) / (right - left) * length_s
    return [(float(begin), float(end)) for begin, end in seconds.reshape(-1, 2)]


@pytest.mark.parametrize("length_s", [60, 7 * 86_400])
def test_bars_lie_where_alerts_were_open(tmp_path: Path, length_s: int) -> None:
    parts = [(0.1, 0.2), (0.5, 0.9)]
    lived = [episode(begin * length_s, end * length_s) for begin, end in parts]
    pixels = picture(tmp_path / "a.png", recorded(length_s, (0, length_s)), lived)
    found = stretches(pixels, COLOURS["warning"], length_s)
    assert np.array(found) / length_s == pytest.approx(np.array(parts), abs=0.004)


def test_the_colour_is_that_of_the_severity(tmp_path: Path) -> None:
    lived = [episode(10, 20, "info"), episode(40, 50, "critical")]
    pixels = picture(tmp_path / "a.png", recorded(60, (0, 60)), lived)
    assert stretches(pixels, COLOURS["info"], 60) == [pytest.approx((10, 20), abs=0.3)]
    assert stretches(pixels, COLOURS["critical"], 60) == [pytest.approx((40, 50), abs=0.3)]
    assert stretches(pixels, COLOURS["warning"], 60) == []


def test_what_was_not_seen_is_shaded(tmp_path: Path) -> None:
    pixels = picture(tmp_path / "a.png", recorded(60, (0, 15), (30, 50)), [])
    assert stretches(pixels, UNKNOWN, 60) == [
        pytest.approx((15, 30), abs=0.3),
        pytest.approx((50, 60), abs=0.3),
    ]


def test_an_alert_of_a_moment_can_be_seen_in_a_week(tmp_path: Path) -> None:
    week_s = 7 * 86_400
    pixels = picture(tmp_path / "a.png", recorded(week_s, (0, week_s)), [episode(300_000, 300_001)])
    reddish = (pixels[LEGEND_PX:, :, 2] > pixels[LEGEND_PX:, :, 0].astype(int) + 60).any(axis=0)
    assert 1 <= reddish.sum() <= 4


def test_each_rule_and_camera_has_its_row(tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png", recorded(60, (0, 60)), [episode(10, 20)])
    rows = [[episode(10, 20)], [], [episode(30, 40, "critical")]]
    three = picture(tmp_path / "three.png", recorded(60, (0, 60)), *rows)
    assert three.shape[1] == one.shape[1] == 1320
    assert three.shape[0] - one.shape[0] == pytest.approx(2 * 37, abs=2)
    above, below = (
        np.flatnonzero(coloured(three, COLOURS[severity]).any(axis=1))
        for severity in ("warning", "critical")
    )
    assert below[0] > above[-1] + 37


def test_thousands_of_alerts_fit(tmp_path: Path) -> None:
    week_s = 7 * 86_400
    begins = np.linspace(0, 0.5 * week_s, 5000)
    lived = [episode(begin, begin + 20) for begin in begins]
    pixels = picture(tmp_path / "a.png", recorded(week_s, (0, week_s)), lived)
    (begin, end) = stretches(pixels, COLOURS["warning"], week_s)[0]
    assert (begin / week_s, end / week_s) == pytest.approx((0, 0.5), abs=0.01)
