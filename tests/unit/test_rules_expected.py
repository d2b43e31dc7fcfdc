"""``maskstream rules test --expect``: what is otherwise than it was, in words."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from stream import codec
from stream.cli.rules import Files, try_rules
from stream.cli.rules.expected import differences, read_expected
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError
from stream.masks import Mask
from stream.types import Alert, Evidence
from tests.support.build import gap
from tests.support.recorded import CONFIG, seen, written

SEEN = Evidence(1, 17, 0.9, 0.4, (1.0, 2.0, 30.0, 40.0))


@pytest.fixture(autouse=True)
def _kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def life(
    opened_s: float,
    lasted_s: float | None = 5,
    name: str = "",
    rule: str = "in-door",
    camera: str = "hall",
) -> list[Alert]:
    """The changes of an alert that opened so long after the Unix epoch, and perhaps ended."""
    opened_us = round(opened_s * 1e6)
    tracks, evidence = (f"{camera}/1/{opened_us}/0",), SEEN
    opened = Alert(
        name or f"{rule}-{opened_us}", "opened", rule, "presence", camera, "door", ("person",),
        "warning", tracks, opened_us, opened_us, evidence, (),
    )  # fmt: skip
    if lasted_s is None:
        return [opened]
    over_us = opened_us + round(lasted_s * 1e6)
    return [opened, structs.replace(opened, state="resolved", time_us=over_us)]


def told(wanted: list[Alert], came: list[Alert]) -> list[str]:
    return list(differences(wanted, came))


def test_what_is_missing_and_what_is_new_stands_in_order_under_its_rule_and_camera() -> None:
    wanted = [*life(0), *life(10), *life(20)]
    assert told(wanted, [*life(0), *life(15), *life(20), *life(30.04)]) == [
        "rule in-door, camera hall: 3 alerts expected, 4 found",
        "  opened 1970-01-01 05:30:10.000: missing",
        "  opened 1970-01-01 05:30:15.000: new",
        "  opened 1970-01-01 05:30:30.040: new",
    ]


def test_only_rules_and_cameras_that_differ_are_named() -> None:
    gate, other = life(0, camera="gate"), life(0, rule="out")
    assert told([*life(0), *gate, *other], [*other, *gate]) == [
        "rule in-door, camera hall: 1 alert expected, 0 found",
        "  opened 1970-01-01 05:30:00.000: missing",
    ]
    assert told([*gate, *other], [*other, *gate]) == [], "cameras are in no order"


@pytest.mark.parametrize(
    ("wanted_s", "came_s", "said"),
    [
        (5, 5.2, "resolved 1970-01-01 05:30:05.200, expected resolved 1970-01-01 05:30:05.000"),
        (5, None, "still open, expected resolved 1970-01-01 05:30:05.000"),
        (None, 5, "resolved 1970-01-01 05:30:05.000, expected still open"),
    ],
)
def test_an_alert_that_ends_otherwise_says_when(
    wanted_s: float | None, came_s: float | None, said: str
) -> None:
    _, line = told(life(0, wanted_s), life(0, came_s))
    assert line == f"  opened 1970-01-01 05:30:00.000: {said}"


def test_an_alert_that_is_told_of_otherwise_says_in_what() -> None:
    opened, over = life(0)
    update = structs.replace(opened, state="updated", time_us=2_000_000)
    seen = structs.replace(SEEN, score=0.8, mask=Mask.whole((4, 4)))
    shown = structs.replace(opened, evidence=seen, severity="critical")

    assert told([opened, over], [opened, update, over])[1].endswith(
        ": told in 3 changes, expected 2"
    )
    assert told([opened, over], [shown, over])[1].endswith(
        ": other evidence.mask, evidence.score, severity"
    )
    assert told([opened], [structs.replace(opened, evidence=None)])[1].endswith(": other evidence")


def test_alerts_with_another_id_are_found_by_when_they_opened_and_only_counted() -> None:
    came = [*life(0, name="a"), *life(10, name="b"), *life(30, name="c")]
    assert told([*life(0), *life(10), *life(20)], came) == [
        "rule in-door, camera hall: 3 alerts expected, 3 found; 2 with another id",
        "  opened 1970-01-01 05:30:20.000: missing",
        "  opened 1970-01-01 05:30:30.000: new",
    ]


def test_of_those_that_opened_at_once_each_finds_the_one_about_the_same_identity() -> None:
    one, other = life(0, name="one"), life(0, name="other")
    other = [structs.replace(each, tracks=("hall/1/2/0",)) for each in other]
    again = [structs.replace(each, id="again") for each in other]
    assert told([*one, *other], again) == [
        "rule in-door, camera hall: 2 alerts expected, 1 found; 1 with another id",
        "  opened 1970-01-01 05:30:00.000: missing",
    ]


Lived = tuple[int, int | None, str, str]
LIVES: st.SearchStrategy[list[Lived]] = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([None, 1, 2]),
        st.sampled_from("abc"),
        st.sampled_from(["hall", "gate"]),
    ),
    unique_by=lambda each: each[2:],
    max_size=6,
)


def alerts(lives: list[tuple[int, int | None, str, str]]) -> list[Alert]:
    return [
        one for at, lasted, name, camera in lives for one in life(at, lasted, name, "r", camera)
    ]


@given(LIVES, LIVES)
def test_nothing_is_said_of_equals_and_something_of_all_others(
    wanted: list[Lived], came: list[Lived]
) -> None:
    lines = told(alerts(wanted), alerts(came))
    assert bool(lines) == (sorted(wanted, key=str) != sorted(came, key=str))
    for camera in ("hall", "gate"):
        head = [line for line in lines if line.startswith(f"rule r, camera {camera}: ")]
        counts = [sum(each[3] == camera for each in some) for some in (wanted, came)]
        if head:
            assert f" {counts[0]} alert" in head[0]
            assert f", {counts[1]} found" in head[0]


def test_changes_that_were_kept_are_compared_mask_by_mask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, kept = tmp_path / "hall.yaml", tmp_path / "kept.jsonl"
    config.write_text(CONFIG)
    results = written(tmp_path / "results.jsonl", seen("..xx..xx."))
    try_rules(config, results, None, Files(json=kept))
    assert try_rules(config, results, None, Files(expect=kept)) == EXIT_OK
    assert not capsys.readouterr().err

    first, *others = read_expected(kept)
    assert first.evidence is not None
    mask = Mask.from_bitmap((48, 64), np.ones((2, 2), bool), 3, 4)
    moved = structs.replace(first, evidence=structs.replace(first.evidence, mask=mask))
    kept.write_bytes(b"\n\n".join(map(codec.to_json, [moved, *others])))
    assert try_rules(config, results, None, Files(expect=kept)) == EXIT_DIFFERENT
    assert capsys.readouterr().err.splitlines() == [
        "rule in-door, camera hall: 2 alerts expected, 2 found",
        "  opened 2023-11-15 03:43:22.000: other evidence.mask",
    ]


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read_expected(path)
    return str(error.value).replace(str(path), "FILE")


def test_what_is_no_file_of_changes_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    how = "maskstream rules test CONFIG --json FILE writes such a file"
    path = tmp_path / "kept.jsonl"
    assert refused(path) == f"--expect FILE: No such file or directory; {how}"
    assert refused(tmp_path).startswith("--expect FILE: Is a directory; ")
    path.write_bytes(codec.to_json(life(0)[0]) + b"\n{}\n")
    assert refused(path).startswith("--expect FILE:2: ")
    assert refused(path).endswith(f"; {how}")
    path.write_bytes(codec.to_json(gap(1, 2)))
    assert refused(path) == f"--expect FILE:1: type: given gap; allowed: alert; {how}"


def test_a_file_that_is_not_there_is_told_before_anything_is_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hall.yaml"
    config.write_text(CONFIG)
    results = written(tmp_path / "results.jsonl", seen("..xx.."))
    with pytest.raises(ConfigError, match=r"^--expect no\.jsonl: No such file"):
        try_rules(config, results, None, Files(expect=Path("no.jsonl")))
    assert not capsys.readouterr().out
