"""The schema of a webhook's body is true of every body that we post."""

import json
from typing import Any, get_args

import numpy as np
import pytest
from msgspec import structs

from stream.masks import Mask
from stream.notify import body_for
from stream.notify.trial import KIND, trial
from stream.rules import AnyRule
from stream.schemas import schemas
from stream.specs import EndpointSpec
from stream.types import Alert, AlertState
from tests.support.kinds import told
from tests.support.schema import faults, undeclared

SCHEMA = schemas()["webhook"]
KINDS = {kind.model_fields["kind"].default for kind in get_args(AnyRule)}
OWN_FORMATS = {"json"}
"""The others are Alertmanager's own, which publishes what it takes."""
FOREIGN_FORMATS = {"alertmanager", "alertmanager-v4"}


def body(alert: Alert, form: str = "json") -> Any:
    spec = {"id": "ops", "url": "https://ops.example", "secret": {"env": "OPS"}, "body": form}
    return json.loads(body_for(EndpointSpec.model_validate(spec))(alert))


def linked(alert: Alert) -> Alert:
    return structs.replace(
        alert, snapshot="https://kept.example/a.jpg", clip="https://kept.example/a.mp4"
    )


def crowded(alert: Alert) -> Alert:
    """With more than a body holds."""
    speckles = Mask.from_bitmap((250, 250), np.indices((250, 250)).sum(0) % 2 == 0, 0, 0)
    evidence = alert.evidence and structs.replace(alert.evidence, mask=speckles)
    tracks = tuple(f"hall/1/{number}/0" for number in range(3000))
    return structs.replace(alert, tracks=tracks, evidence=evidence)


def assert_described(posted: Any) -> None:
    assert faults(posted, SCHEMA, SCHEMA) == []
    assert undeclared(posted, SCHEMA, SCHEMA) == []


@pytest.mark.parametrize("form", sorted(OWN_FORMATS))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_posted_of_a_kind_of_rule_is_what_the_schema_says(kind: str, form: str) -> None:
    changes = [alert for alert in told() if alert.kind == kind]
    assert {"opened", "resolved"} <= {alert.state for alert in changes}
    for alert in changes:
        for variant in (alert, linked(alert), crowded(alert)):
            assert_described(body(variant, form))


def test_every_change_and_what_is_left_out_was_among_them() -> None:
    posted = [body(each) for alert in told() for each in (alert, crowded(alert))]
    assert {each["type"] for each in posted} == {f"alert.{each}" for each in get_args(AlertState)}
    assert any(each["data"].get("tracks_left_out") for each in posted)
    assert any((each["data"]["evidence"] or {}).get("mask_left_out") for each in posted)
    assert any("mask" in (each["data"]["evidence"] or {}) for each in posted)


def test_every_format_that_is_our_own_has_a_schema() -> None:
    formats = get_args(EndpointSpec.model_fields["body"].annotation)
    assert {*formats} == OWN_FORMATS | FOREIGN_FORMATS


def test_a_test_alert_is_what_the_schema_says_and_of_no_kind_that_a_rule_has() -> None:
    for change in trial("ops", 1_800_000_000_000_000):
        posted = body(change)
        assert_described(posted)
        assert posted["data"]["kind"] == KIND
    assert KIND not in KINDS


def test_the_schema_sees_what_is_wrong() -> None:
    posted = body(told()[0])
    posted["type"] = "alert.closed"
    del posted["data"]["camera"]
    posted["data"]["note"] = "more is allowed"
    assert sorted(faults(posted, SCHEMA, SCHEMA)) == [
        "$.data: camera is missing",
        "$.type: 'alert.closed' not in enum",
    ]
    assert undeclared(posted, SCHEMA, SCHEMA) == ["$.data.note"]
