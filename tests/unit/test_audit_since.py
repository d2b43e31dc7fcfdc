"""``maskstream audit --since``: an instant, or how long ago."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream.cli.audit import audit_file, parse_since
from stream.errors import ConfigError

NOW = datetime(2026, 1, 31, 6, 0, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1e6)


@pytest.mark.parametrize(
    ("text", "before_s"),
    [
        ("90m", 5400),
        ("2h", 7200),
        ("2026-01-31T05:00:00Z", 3600),
        ("2026-01-31T05:00:00", 3600),
        ("2026-01-31T07:00:00+02:00", 3600),
        ("2026-01-31", 6 * 3600),
    ],
)
def test_an_instant_or_how_long_ago(text: str, before_s: int) -> None:
    assert parse_since(text, NOW) == NOW_US - before_s * 1_000_000


@pytest.mark.parametrize("text", ["yesterday", "", "2x", "2026-13-01", "999999999999h"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--since: given .*; allowed: how long ago"):
        parse_since(text, NOW)


def test_a_results_file_is_read_whole(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--since: given 2h; a results file is read whole"):
        audit_file(tmp_path / "results.jsonl", "2h")
