"""docs/webhooks.md is true: its bodies are what its own rule makes, and its example is whole."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from stream.config import Settings, parse
from stream.evidence import clip_name, snapshot_name
from stream.masks import Mask
from stream.notify import body_for
from stream.schemas import schemas
from stream.types import Alert, Instance, ModelRef, Result
from stream.watching import replay
from tests.support.alerts import OPENED_US
from tests.support.receiver import SECRET
from tests.support.schema import faults, undeclared
from tests.support.webhook_page import blocks

ROOT = Path(__file__).resolve().parents[2]
SIZE = (468, 832)
BOX = (690, 326, 702, 386)
LINK = "file:///srv/yard/out/evidence"
FIRST, STEP_US = 411, 500_000
"""The frame in which somebody comes, of those that are looked at: two a second."""


@pytest.fixture
def settings() -> Settings:
    (text,) = blocks("Try it", "yaml")
    return parse(text, ROOT / "yard.yaml", env={"OPS_SECRET": SECRET})


def changes(settings: Settings) -> list[Alert]:
    """What the rule of the page tells of somebody who stays for 5.5 s and leaves, with links."""
    x1, y1, x2, y2 = BOX
    mask = Mask.from_bitmap(SIZE, np.ones((y2 - y1, x2 - x1), bool), x1, y1)
    somebody = Instance("person", 0.93, (690.0, 326.0, 702.0, 386.0), mask)
    model, results = ModelRef("yard-seg", "0" * 64, "f32"), []
    for number in range(20):
        time_us = OPENED_US - 3_000_000 + number * STEP_US
        here = (somebody,) if number < 12 else ()
        at = (FIRST + number, time_us, time_us)
        results.append(Result("yard", 1, *at, SIZE, model, here, f"frames-archive@{at[0] + 1}"))
    return [
        structs.replace(
            alert,
            snapshot=f"{LINK}/{snapshot_name(alert)}",
            clip=f"{LINK}/{clip_name(alert)}",
        )
        for alert in replay(settings.rules, settings.zones, results)
    ]


def shown() -> list[Any]:
    return [json.loads(text) for text in blocks("Receive", "json")]


def test_the_bodies_that_are_shown_are_what_the_rule_of_the_page_makes(
    settings: Settings,
) -> None:
    to_body = body_for(settings.endpoints[0])
    made = [json.loads(to_body(alert)) for alert in changes(settings)]
    assert [each["type"] for each in made] == ["alert.opened", "alert.resolved"]
    assert shown() == made, json.dumps(made)


def test_the_bodies_that_are_shown_fulfil_the_schema() -> None:
    schema = schemas()["webhook"]
    for body in shown():
        assert faults(body, schema, schema) == []
        assert undeclared(body, schema, schema) == []


def test_the_example_has_all_that_an_alert_passes_on_its_way(settings: Settings) -> None:
    (rule,), (zone,), (endpoint,) = settings.rules, settings.zones, settings.endpoints
    assert rule.notify == (endpoint.id,)
    assert (rule.clip is not None, zone.camera) == (True, settings.cameras[0].id)
    assert settings.evidence is not None
    for path in (settings.model.weights, settings.cameras[0].url):
        assert Path(path).exists()
