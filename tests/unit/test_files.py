"""Files that a run writes beside the topics."""

from pathlib import Path

import pytest

from connectors.files import line_writer
from stream.errors import ConfigError


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.jsonl"
    with line_writer(path) as write:
        write(b"one")
        assert path.read_bytes() == b"one\n"
        write(b"two")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_file_that_was_there_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text("of an earlier run\n")
    with line_writer(path) as write:
        write(b"one")
    assert path.read_bytes() == b"one\n"


def test_a_disk_that_is_full_is_named() -> None:
    with (
        pytest.raises(ConfigError, match="outputs: /dev/full: No space left on device"),
        line_writer(Path("/dev/full")) as write,
    ):
        write(b"one")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"), line_writer(tmp_path):
        pass
