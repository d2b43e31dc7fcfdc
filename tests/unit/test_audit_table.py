"""The table of ``maskstream audit``."""

from pathlib import Path

import pytest

from stream.cli.audit import audit_file
from stream.codec import to_json
from stream.types import EpochOpened, Gap, MaskMessage


def test_no_figure_is_cut_where_lines_are_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    written: list[MaskMessage] = [
        EpochOpened("guarded", 12, 0, "live", (48, 64), 10.0, None),
        Gap("guarded", 12, 0, 28, 0, "stale"),
        Gap("guarded", 12, 29, 41, 0, "overflow"),
        Gap("guarded", 12, 42, 1041, 0, "quarantined"),
    ]
    results = tmp_path / "results.jsonl"
    results.write_bytes(b"\n".join(to_json(each) for each in written))
    audit_file(results, None)
    table = capsys.readouterr().out
    assert "…" not in table
    for figure in ("guarded/12", "1042", "stale 29", "overflow 13", "quarantined 1000"):
        assert figure in table
    assert "unclosed tail" in table
