"""The table that a run ends with."""

from rich.console import Console

from stream.cli.progress import summary
from stream.tally import Tally
from stream.types import MaskMessage
from tests.support.build import closed, gap, opened, result
from tests.support.clock import START_US


def table(*messages: MaskMessage) -> dict[str, str]:
    """The rows of the table after ``messages``."""
    tally = Tally()
    for message in messages:
        tally.add(message, START_US)
    console = Console(width=80)
    with console.capture() as shown:
        console.print(summary(tally))
    rows = (line.rsplit("  ", 1) for line in shown.get().splitlines())
    return {name.strip(): value.strip() for name, value in rows}


def test_every_frame_is_counted_once_by_how_it_ended() -> None:
    rows = table(opened(), result(0), gap(1, 3, "dead_letter"), result(4), closed(5))
    assert rows["frames offered"] == "5"
    assert rows["results"] == "2"
    assert rows["gaps: dead_letter"] == "3"
    assert rows["audit"] == "nothing missing"


def test_frames_that_vanished_are_said() -> None:
    assert table(opened(), result(0), closed(3))["audit"] == "2 frames missing"


def test_frames_of_a_file_that_were_given_up_are_said() -> None:
    rows = table(opened(mode="archive"), gap(0, 3, "stale"), closed(4))
    assert rows["audit"] == "4 frames of files given up"


def test_an_epoch_without_an_end_is_said() -> None:
    assert table(opened(), result(0))["audit"] == "nothing missing, 1 unclosed"
