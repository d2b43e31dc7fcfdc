"""A run that cannot begin must not touch what the last one wrote."""

from pathlib import Path

import pytest

from stream.config import check_files, parse
from stream.errors import ConfigError

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
