"""The JSON Schemas of the payloads: up to date, and true of what is written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.codec import to_json
from stream.masks import Mask
from stream.registry import Change
from stream.schemas import schema_text, schemas
from stream.specs import CameraSpec, Tiles
from stream.types import (
    Alert,
    CameraHealth,
    CameraStatus,
    DeliveryStatus,
    EpochClosed,
    EpochOpened,
    Evidence,
    Gap,
    Instance,
    ModelRef,
    Result,
    Track,
    Tracks,
)
from tests.support.schema import faults

FOLDER = Path(__file__).parents[2] / "docs/schemas"
BOX = (1.0, 2.0, 30.5, 40.0)
RESULT = Result(
    camera="hall",
    epoch=7,
    seq=3,
    time_us=1_700_000_000_000_000,
    arrived_us=1_700_000_000_000_000,
    size=(48, 64),
    model=ModelRef(name="yolov8n-seg", sha256="0" * 64, precision="f32"),
    instances=(
        Instance("person", 0.9, BOX, Mask.from_bitmap((48, 64), np.ones((9, 5), bool), 3, 4)),
    ),
)
MESSAGES: list[Any] = [
    RESULT,
    Gap("hall", 7, 4, 9, 1_700_000_000_000_000, "stale"),
    EpochOpened("hall", 7, 1_700_000_000_000_000, "live", (48, 64), 25.0),
    EpochClosed("hall", 7, 1_700_000_000_000_000, 10, "ended"),
    Tracks("hall", 7, 3, 5, (Track("hall/7/0/0", "person", 0.9, BOX, (3.0, 4.0), ("exit",), 0),)),
    Alert(
        id="a" * 24,
        state="opened",
        rule="leaves",
        kind="presence",
        camera="hall",
        zone=None,
        labels=("person",),
        severity="warning",
        tracks=("hall/7/0/0",),
        opened_us=5,
        time_us=5,
        evidence=Evidence(7, 3, 0.9, 0.5, BOX),
        notify=("ops",),
    ),
    CameraHealth("hall", 7, 10, 5, "lost", True, 4, "it sent nothing for 8 s"),
    CameraStatus("hall", "live", 5),
    DeliveryStatus("a" * 24, "opened", "ops", "delivered", 1, 5, "204"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_written_is_what_the_schema_says(message: Any) -> None:
    written = json.loads(to_json(message))
    schema = schemas()[written["type"]]
    assert faults(written, schema, schema) == []


def test_the_schema_sees_what_is_wrong() -> None:
    schema = schemas()["result"]
    written = json.loads(to_json(RESULT))
    del written["instances"][0]["mask"]["counts"]
    written["seq"] = "3"
    assert sorted(faults(written, schema, schema)) == [
        "$.instances[0].mask: counts is missing",
        "$.seq: '3' is no integer",
    ]


def test_a_record_of_the_registry_is_what_the_schema_says() -> None:
    tiles = Tiles(columns=2, rows=1)
    camera = CameraSpec(id="hall", url="rtsp://camera/1", fps=5, tiles=tiles, partition=3)
    written = json.loads(bytes(Change(None, camera).record(5, since=1).value))
    schema = schemas()["camera"]
    assert faults(written, schema, schema) == []
    assert faults({**written, "url": 3}, schema, schema) == ["$.url: 3 is no string"]


def test_every_wire_type_has_a_schema_that_is_tried_here_or_with_the_webhook() -> None:
    tried = {json.loads(to_json(message))["type"] for message in MESSAGES} | {"camera", "webhook"}
    assert tried == set(schemas())


def test_a_mask_is_coco_run_lengths() -> None:
    mask = schemas()["result"]["$defs"]["Instance"]["properties"]["mask"]
    assert mask["required"] == ["size", "counts"]


def test_the_schemas_that_are_kept_are_up_to_date() -> None:
    kept = {path.stem: path.read_text() for path in FOLDER.glob("*.json")}
    made = {name: schema_text(schema) for name, schema in schemas().items()}
    assert kept == made, "run: maskstream schema docs/schemas"
