"""Labels that rules name, and the network of an artefact that is there."""

from pathlib import Path

import pytest

from stream.cli.model import check_known_labels
from stream.config import parse
from stream.errors import ConfigError

YARD = Path(__file__).parents[2] / "connectors" / "demo" / "data" / "yard-seg"


def checked(weights: Path, label: str) -> None:
    text = (
        f"model: {{weights: {weights}}}\n"
        "cameras: [{id: hall, url: hall.mp4}]\n"
        f"rules: [{{id: stays, kind: absence, camera: hall, labels: [{label}], for: 5m}}]\n"
    )
    check_known_labels(parse(text, "c.yaml"))


def test_a_label_that_an_artefact_does_not_know_is_refused_without_opening_it() -> None:
    checked(YARD, "person")
    fault = 'rules[0].labels[0]: rule stays: unknown label "persn", did you mean person?'
    with pytest.raises(ConfigError) as error:
        checked(YARD, "persn")
    assert str(error.value) == f"c.yaml:3: {fault}"


def test_a_model_that_is_not_here_is_not_asked(tmp_path: Path) -> None:
    checked(tmp_path, "persn")
    checked(tmp_path / "yolov8n-seg.pt", "persn")
