"""The table that a run ends with."""

from rich.console import Console

from stream.cli.progress import summary
from stream.evidence import CLIPS
from stream.tally import Tally
from stream.types import Alert, AlertState, DeliveryState, DeliveryStatus, MaskMessage
from tests.support import alerts
from tests.support.build import closed, gap, opened, result
from tests.support.clock import START_US


def printed(tally: Tally) -> list[str]:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(summary(tally))
    return shown.get().splitlines()


def table(*messages: MaskMessage | Alert | DeliveryStatus, letters: str = "") -> dict[str, str]:
    """The rows of the table after ``messages`` and dead letters of these reasons."""
    tally = Tally()
    for message in messages:
        tally.add(message, START_US)
    for reason in letters.split():
        tally.add_dead_letter(reason)
    rows = (line.split("  ", 1) for line in printed(tally))
    return {name.strip(): value.strip() for name, value in rows}


def alert(rule: str, name: str, state: AlertState = "opened") -> Alert:
    return alerts.opened(name, rule=rule, state=state)


def delivery(state: DeliveryState, endpoint: str = "ops") -> DeliveryStatus:
    return DeliveryStatus("a1", "opened", endpoint, state, 1, START_US)


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


def test_each_rule_that_had_alerts_says_what_became_of_them() -> None:
    rows = table(
        alert("leaves", "a1"),
        alert("leaves", "a1", "updated"),
        alert("loiters", "b1"),
        alert("leaves", "a1", "resolved"),
        alert("leaves", "a2"),
        alert("loiters", "b1", "resolved"),
    )
    assert rows["alerts opened"] == "3"
    assert rows["alerts: leaves"] == "2 opened, 1 resolved, 1 still open"
    assert rows["alerts: loiters"] == "1 opened, 1 resolved, 0 still open"
    assert [name for name in rows if name.startswith("alerts: ")] == [
        "alerts: leaves",
        "alerts: loiters",
    ]


def test_the_longest_name_of_a_rule_is_whole_within_80_columns() -> None:
    rule, tally = "r" * 63, Tally()
    tally.add(alert(rule, "a1"), START_US)
    lines = printed(tally)
    assert max(map(len, lines)) <= 80
    (row,) = (line for line in lines if line.endswith("1 opened, 0 resolved, 1 still open"))
    assert row.startswith("alerts:")
    assert "".join(line for line in lines if set(line.strip()) == {"r"}).count("r") == 63


def test_clips_are_told_from_deliveries() -> None:
    rows = table(
        delivery("delivered"),
        delivery("pending", CLIPS),
        delivery("delivered", CLIPS),
        delivery("delivered", CLIPS),
        delivery("given_up", CLIPS),
    )
    assert rows["deliveries made"] == "1"
    assert "deliveries given up" not in rows
    assert rows["clips made"] == "2"
    assert rows["clips given up"] == "1"


def test_a_run_without_clips_says_nothing_of_them() -> None:
    assert not [name for name in table(delivery("delivered")) if "clip" in name]


def test_what_was_given_up_is_counted_once_and_ended_with_the_run() -> None:
    rows = table(delivery("given_up"), letters="undelivered decode_error too_large")
    assert rows["deliveries given up"] == "1, kept nowhere"
    assert rows["dead letters"] == "2, kept nowhere"
    assert table()["dead letters"] == "0"
