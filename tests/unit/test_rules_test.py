"""``maskstream rules test`` on files: the table, the files it writes, and what it warns of."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from msgspec.structs import replace

from stream import codec
from stream.cli.rules import Files, crew, try_rules
from stream.config import load
from stream.errors import EXIT_OK, ConfigError
from stream.types import Gap, MaskMessage, Tracks
from stream.watching import replay
from tests.support.recorded import CONFIG, at_us, seen, written

NO_FILES = Files()
KNOWN = "..xxx..........x....-------...xxxxxx"
"""In the door from 2 to 5 s, 15 to 16 s, and from 30 s on, which is still open at 35 s."""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lines are long, and it is half past in Kolkata."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hall.yaml"
    path.write_text(CONFIG)
    return path


def recorded(config: Path, messages: Iterable[MaskMessage]) -> Path:
    return written(config.parent / "results.jsonl", messages)


def rows(shown: str, *begins: str) -> list[list[str]]:
    """The other cells of each line that begins so, table by table."""
    lines = map(str.split, shown.splitlines())
    return [cells[len(begins) :] for cells in lines if cells[: len(begins)] == [*begins]]


def test_the_table_tells_how_many_alerts_and_when(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = recorded(config, seen(KNOWN))
    assert try_rules(config, results, None, NO_FILES) == EXIT_OK
    shown = capsys.readouterr().out
    assert rows(shown, "rule", "camera")[0][:2] == ["alerts", "hour"]
    assert rows(shown, "in-door", "hall") == [
        ["3", "309", "5.0s", "9.0s"],  # 3 in 35 s
        ["2023-11-15", "03:43:22", "2023-11-15", "03:43:50", "1"],
    ]


def test_a_recording_may_begin_at_the_unix_epoch_and_be_no_longer_than_an_instant(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = next(iter(seen(KNOWN)))
    assert try_rules(config, recorded(config, [replace(first, time_us=0)]), None, NO_FILES) == 0
    assert rows(capsys.readouterr().out, "hall")[0][0] == "1"


def test_a_rule_that_keeps_quiet_is_in_the_table(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try_rules(config, recorded(config, seen(KNOWN)), None, NO_FILES)
    shown = capsys.readouterr().out
    assert rows(shown, "quiet", "hall") == [["0", "0"]]
    assert rows(shown, "down", "hall") == [["0", "0"]]


def test_what_was_recorded_is_told_with_what_is_missing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = Gap("hall", 1, 4, 11, at_us(11), "stale")
    messages: list[MaskMessage] = [*seen("...."), lost, lost, *seen("..", first=12)]
    try_rules(config, recorded(config, messages), None, NO_FILES)
    assert rows(capsys.readouterr().out, "hall") == [
        ["6", "stale", "8", "0", "1"],
        ["2023-11-15", "03:43:20", "2023-11-15", "03:43:33", "9.0s"],
    ]


def test_over_days_the_rate_is_a_day(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = chain(seen(".x."), seen(".x.", first=2 * 86_400), seen(".", first=4 * 86_400))
    try_rules(config, recorded(config, days), None, NO_FILES)
    shown = capsys.readouterr().out
    assert rows(shown, "rule", "camera")[0][:2] == ["alerts", "day"]
    assert rows(shown, "in-door", "hall")[0][:2] == ["2", "0.5"]


def tables(
    folder: Path, capsys: pytest.CaptureFixture[str], rule: str, camera: str
) -> list[list[str]]:
    """The lines of each table, of a rule that was open for half a day."""
    config = folder / "long.yaml"
    config.write_text(CONFIG.replace("hall", camera).replace("in-door", rule))
    half_a_day = (*seen("x", camera), *seen("x.", camera, first=86_390))
    away = Gap(camera, 1, 1, 86_389, at_us(86_389), "dead_letter")
    messages: list[MaskMessage] = [
        half_a_day[0],
        away,
        *half_a_day[1:],
        *seen("x", camera, first=90_000),
    ]
    try_rules(config, written(folder / "long.jsonl", messages), None, NO_FILES)
    return [each.splitlines() for each in capsys.readouterr().out.split("\n\n")]


def test_names_of_24_letters_are_whole_in_80_columns_and_so_is_all_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rule, camera = "a-rule-of-24-letters-xyz", "a-camera-of-24-letters-x"
    counts, times, gaps, ends = tables(tmp_path, capsys, rule, camera)
    assert max(len(line) for table in (counts, times, gaps, ends) for line in table) <= 80
    assert counts[2].split() == [rule, camera, "2", "1.9", "23h", "59m", "23h", "59m"]
    head, below = times[2].split(), times[3].split()
    assert (head, below) == (
        [rule, camera, "2023-11-15", "2023-11-16", "1"],
        ["03:43:20", "04:43:20"],
    )
    assert gaps[1].split() == [camera, "4", "dead_letter", "86389", "0", "0"]
    assert ends[1].startswith(f"{camera} 2023-11-15 03:43:20 2023-11-16 04:43:20 ")


def test_longer_names_break_after_a_hyphen_and_nothing_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rule, camera = "somebody-stands-at-the-dock", "x" * 63
    counts, times, gaps, _ = tables(tmp_path, capsys, rule, camera)
    for table in (counts, times):
        assert table[2].split()[:2] == ["somebody-stands-at-the-", "x" * 24]
        assert table[3].split()[:2] == ["dock", "x" * 24]
        assert "x" * 15 in table[4]
    assert gaps[1].split()[0] == "x" * 24


def test_every_change_is_written_and_the_same_again_is_no_difference(config: Path) -> None:
    results, changes = recorded(config, seen(KNOWN)), config.parent / "changes.jsonl"
    try_rules(config, results, None, Files(json=changes))
    lines = [json.loads(line) for line in changes.read_text().splitlines()]
    assert [(each["state"], each["time_us"]) for each in lines] == [
        ("opened", at_us(2)),
        ("resolved", at_us(5)),
        ("opened", at_us(15)),
        ("resolved", at_us(16)),
        ("opened", at_us(30)),
    ]
    assert try_rules(config, results, None, Files(expect=changes)) == EXIT_OK


def test_one_bad_line_costs_one_result(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = recorded(config, seen(KNOWN))
    lines = results.read_text().splitlines()
    lines[3] = lines[3].replace('"counts":"', '"counts":"!')
    results.write_text("\n".join(lines))
    assert try_rules(config, results, None, NO_FILES) == EXIT_OK
    shown = capsys.readouterr()
    assert rows(shown.out, "in-door", "hall")[0][0] == "3"
    assert "warning: camera hall: 1 result cannot be read; first" in shown.err
    assert f"{results}:4: counts: '!' at 0" in shown.err


def test_what_is_no_message_of_masks_is_not_read(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = recorded(config, seen("..."))
    results.write_bytes(results.read_bytes() + codec.to_json(Tracks("hall", 1, 0, 0, ())))
    try_rules(config, results, None, NO_FILES)
    assert "results.jsonl:4: type: given tracks; not one of masks" in capsys.readouterr().err


def test_a_file_of_something_else_is_refused(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"hall.yaml:1: JSON is malformed"):
        try_rules(config, config, None, NO_FILES)


def test_an_empty_recording_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert try_rules(config, recorded(config, []), None, NO_FILES) == EXIT_OK
    assert "nothing was recorded" in capsys.readouterr().out


def test_a_label_that_no_result_has_is_worth_a_warning(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try_rules(config, recorded(config, seen("..x.", label="dog")), None, NO_FILES)
    warnings = capsys.readouterr().err
    assert "warning: rule in-door: no result has person; seen was dog" in warnings
    assert "rule down" not in warnings


def test_a_camera_that_is_not_in_the_recording_is_worth_a_warning(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try_rules(config, recorded(config, seen("..x.", "gate")), None, NO_FILES)
    shown = capsys.readouterr()
    assert "warning: rule in-door: camera hall is not in the recording" in shown.err
    assert rows(shown.out, "in-door", "hall") == [["0", "0"]]


def test_a_camera_that_nobody_watches_is_told_of_and_no_more(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = zip(seen(".x.x"), seen("xxxx", "gate"), strict=True)
    try_rules(config, recorded(config, chain(*both)), None, NO_FILES)
    shown = capsys.readouterr().out
    assert rows(shown, "gate")[0][0] == "4"
    assert "in-door gate" not in " ".join(shown.split())


def test_without_results_those_that_the_configuration_names_are_read(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG + "outputs: {results: results.jsonl}\n")
    recorded(config, seen(KNOWN))
    assert try_rules(config, None, None, NO_FILES) == EXIT_OK
    assert rows(capsys.readouterr().out, "in-door", "hall")[0][0] == "3"


@pytest.mark.parametrize(
    ("since", "files", "said"),
    [
        ("7d", NO_FILES, "--since: given 7d; a results file is read whole"),
        (None, Files(timeline=Path("a.pdf")), "--timeline: given a.pdf; allowed: a name that ends"),
        (None, Files(timeline=Path("no/a.png")), "--timeline: given no/a.png; there is no folder"),
        (None, Files(json=Path("no/a.jsonl")), "--json no/a.jsonl: No such file"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    config: Path, since: str | None, files: Files, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        try_rules(config, recorded(config, []), since, files)
    assert str(refused.value).startswith(said)


def test_a_timeline_without_matplotlib_says_what_to_install(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"needs matplotlib: pip install maskstream\[plots\]"):
        try_rules(config, recorded(config, []), None, Files(timeline=config.parent / "a.png"))


def test_many_processes_tell_what_one_does_in_the_same_order(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "ROUND", 16)
    cameras = [seen(KNOWN, camera) for camera in ("hall", "gate", "yard")]
    messages = [each for some in zip(*cameras, strict=True) for each in some]
    config.write_text(CONFIG + "  - {id: in-yard, kind: presence, camera: yard, frames: 2}\n")
    settings, changes = load(config), config.parent / "changes.jsonl"
    try_rules(config, recorded(config, messages), None, Files(json=changes))
    expected = [codec.to_json(one) for one in replay(settings.rules, settings.zones, messages)]
    assert changes.read_bytes().splitlines() == expected
    assert len(expected) > 5
