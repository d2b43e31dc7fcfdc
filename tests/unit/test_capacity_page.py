"""docs/capacity.md has the tables that the command prints, and its sources are there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli.app import app
from stream.cli.capacity.sizing import tables
from stream.kafka_spec import RETENTION_S
from stream.scaling import costs
from stream.scaling.sizing import needs, series_of_a_camera

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "capacity.md").read_text()


@pytest.mark.parametrize("table", tables(None).split("\n\n"))
def test_the_page_has_each_table_as_it_is_printed(table: str) -> None:
    assert table in PAGE


def test_every_source_is_a_heading_of_a_page_that_is_there() -> None:
    for each in costs.ALL:
        page, _, anchor = each.source.partition("#")
        headings = re.findall(r"^#+ (.*)$", (DOCS / page).read_text(), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_needs_grow_with_cameras() -> None:
    few, many = needs(100, RETENTION_S, 900.0), needs(200, RETENTION_S, 900.0)
    assert many.written == pytest.approx(2 * few.written)
    assert many.kept == pytest.approx(2 * few.kept)
    assert (few.cards, many.cards) == (2, 4)
    assert few.brokers == 3


def test_a_live_camera_has_as_many_series_as_are_declared_for_it() -> None:
    """Of the states of a camera, its conditions and the buckets of its ages most."""
    assert series_of_a_camera() == {"ingest": 17, "segment": 22, "watch": 2}


def test_a_day_of_ones_own_is_replayed_on_ones_own_values(tmp_path: Path) -> None:
    day, values = tmp_path / "monday.csv", tmp_path / "values.yaml"
    day.write_text("time,frames_per_s\n00:00,200\n12:00,200\n")
    values.write_text("segment: {scaling: {maxReplicas: 3}}")
    words = [str(day), "--values", str(values), "--plots", str(tmp_path), "--capacity", "80"]
    done = CliRunner().invoke(app, ["capacity", "replay", *words])
    assert done.exit_code == 0, done.output
    assert "monday: 200 to 200 frames/s" in done.output
    cells = next(line.split() for line in done.output.splitlines() if line.startswith("as it is"))
    assert cells[3] == "0.00%"
    # 3 pods all day, where 4 would be right: nothing is saved against the 3 that there may be
    assert cells[-4:] == ["72", "0.0%", "3", "0"]
    assert (tmp_path / "capacity-monday.png").exists()
