"""A run that cannot begin must not touch what the last one wrote, nor make anything."""

from pathlib import Path

import pytest

from stream.config import check_files, parse
from stream.config.redact import shown
from stream.errors import ConfigError
from tests.support.disk import small_disk

TEXT = """\
model: {weights: gone.pt}
cameras:
  - {id: hall, url: nope.mp4, mode: archive}
  - {id: gate, url: "rtsp://127.0.0.1/gate"}
"""


def test_missing_weights_and_clips_are_told_together_with_their_lines(tmp_path: Path) -> None:
    settings = parse(TEXT, tmp_path / "hall.yaml")
    with pytest.raises(ConfigError) as error:
        check_files(settings)
    weights, clip = str(error.value).splitlines()
    assert "hall.yaml:1: model.weights: " in weights
    assert "hall.yaml:3: cameras[0].url: " in clip
    assert "nope.mp4" in clip


def test_files_that_are_there_pass(tmp_path: Path) -> None:
    (tmp_path / "gone.pt").touch()
    (tmp_path / "nope.mp4").touch()
    check_files(parse(TEXT, tmp_path / "hall.yaml"))


def store_faults(folder: Path, store: str) -> list[str]:
    """What is said of a store of evidence, without its place; nothing else is wrong."""
    (folder / "gone.pt").touch()
    (folder / "nope.mp4").touch()
    settings = parse(f"{TEXT}evidence: {{store: {store}}}\n", folder / "hall.yaml")
    try:
        check_files(settings)
    except ConfigError as error:
        start = f"{folder}/hall.yaml:5: evidence.store: "
        return [line.removeprefix(start) for line in str(error).splitlines()]
    return []


@pytest.mark.parametrize("store", ["evidence", "out/2031/evidence", "there", "there/deeper"])
def test_a_store_that_is_there_or_can_be_made_passes_and_is_not_made(
    tmp_path: Path, store: str
) -> None:
    (tmp_path / "there").mkdir()
    assert store_faults(tmp_path, store) == []
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == {"there"}
    assert list((tmp_path / "there").iterdir()) == []


def refused(store: Path, there: Path, why: str) -> list[str]:
    given = f"given {shown(str(store))}, but {shown(str(there))} {why}"
    return [f"{given}; allowed: a folder that can be written to, or made"]


@pytest.mark.parametrize("store", ["notes", "notes/evidence", "notes/2031/evidence"])
def test_a_store_in_place_of_a_file_or_below_one_is_refused(tmp_path: Path, store: str) -> None:
    (tmp_path / "notes").write_text("not a folder")
    told = refused(tmp_path / store, tmp_path / "notes", "is no folder")
    assert store_faults(tmp_path, store) == told


def test_a_store_behind_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "away").symlink_to(tmp_path / "unplugged")
    told = refused(tmp_path / "away/evidence", tmp_path / "away", "is no folder")
    assert store_faults(tmp_path, "away/evidence") == told


def test_a_store_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        disk.make_read_only()
        told = refused(disk.folder / "evidence", disk.folder, "may not be written to")
        assert store_faults(tmp_path, "disk/evidence") == told


def test_a_bucket_is_not_looked_for(tmp_path: Path) -> None:
    assert store_faults(tmp_path, "s3://our-bucket/hall") == []
