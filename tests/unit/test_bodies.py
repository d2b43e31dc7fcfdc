"""What endpoints are told, in each format."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import codec
from stream.errors import TooLargeError
from stream.masks import Mask
from stream.notify import body_for
from stream.notify.body.alertmanager import fingerprint
from stream.specs import EndpointSpec, SecretSource
from stream.types import Alert, Evidence
from tests.support.alerts import OPENED_US, opened

EVIDENCE = Evidence(epoch=1, seq=17, score=0.9, overlap=0.4, box=(1.0, 2.0, 30.0, 40.0))
ALERT = msgspec.structs.replace(
    opened("a1", "ops", "pager"), rule="person-leaves", zone="exit", evidence=EVIDENCE
)
RESOLVED = msgspec.structs.replace(ALERT, state="resolved", time_us=OPENED_US + 300_000_000)
FORMATS = ("json", "alertmanager-v4", "alertmanager")
changed = msgspec.structs.replace


def to_body(body: str) -> Callable[[Alert], bytes]:
    url = "https://ops.example/hook"
    secret = SecretSource(env="OPS_SECRET")
    return body_for(
        EndpointSpec.model_validate({"id": "ops", "url": url, "secret": secret, "body": body})
    )


def told(alert: Alert, body: str = "json") -> Any:
    return json.loads(to_body(body)(alert))


def read_back(alert: Alert) -> Alert:
    """The same alert, as another process has it."""
    found = codec.decode(codec.encode(alert))
    assert isinstance(found, Alert)
    return found


def speckled(size: int) -> Mask:
    """A mask whose COCO string has about ``size`` × ``size`` characters."""
    return Mask.from_bitmap((size, size), np.indices((size, size)).sum(0) % 2 == 0, 0, 0)


def test_json_says_what_happened_when_and_to_what() -> None:
    event = told(ALERT)

    assert event["type"] == "alert.opened"
    assert event["timestamp"] == "2027-01-15T08:00:00.000000Z"
    assert event["data"]["id"] == "a1"
    assert event["data"]["evidence"]["overlap"] == 0.4
    assert "notify" not in event["data"]


def test_json_holds_the_mask_as_coco_writes_it() -> None:
    mask = speckled(4)
    event = told(changed(ALERT, evidence=changed(EVIDENCE, mask=mask)))

    assert event["data"]["evidence"]["mask"] == {"size": [4, 4], "counts": mask.counts}


@pytest.mark.parametrize("body", FORMATS)
@given(
    st.integers(0, 3000),
    st.text(min_size=1, max_size=60),
    st.sampled_from([None, 4, 120, 250]),
    st.text(max_size=3000),
)
def test_a_body_stays_under_20_kb_and_is_the_same_each_time(
    body: str, count: int, camera: str, mask_px: int | None, detail: str
) -> None:
    mask = None if mask_px is None else speckled(mask_px)
    tracks = tuple(f"{camera}/1/{n}/0" for n in range(count))
    evidence = changed(EVIDENCE, mask=mask)
    made = to_body(body)
    alert = changed(ALERT, tracks=tracks, evidence=evidence, camera=camera, detail=detail)

    assert len(made(alert)) <= 20_000
    assert made(alert) == made(read_back(alert))


@given(st.integers(0, 3000), st.text(min_size=1, max_size=60))
def test_json_keeps_the_first_tracks_and_counts_those_that_it_leaves_out(
    count: int, camera: str
) -> None:
    tracks = tuple(f"{camera}/1/{n}/0" for n in range(count))
    data = told(changed(ALERT, tracks=tracks))["data"]

    assert data["tracks"] == list(tracks[: len(data["tracks"])])
    assert len(data["tracks"]) + data.get("tracks_left_out", 0) == count


def test_json_leaves_tracks_out_before_the_mask() -> None:
    tracks = tuple(f"hall/1/{n}/0" for n in range(2000))
    evidence = changed(EVIDENCE, mask=speckled(120))
    data = told(changed(ALERT, tracks=tracks, evidence=evidence))["data"]

    assert 0 < len(data["tracks"]) < 2000
    assert data["tracks_left_out"] == 2000 - len(data["tracks"])
    assert "mask" in data["evidence"]


def test_json_leaves_out_a_mask_that_does_not_fit_and_says_so_and_keeps_the_tracks() -> None:
    evidence = changed(EVIDENCE, mask=speckled(250))
    data = told(changed(ALERT, evidence=evidence))["data"]

    assert data["tracks"] == ["hall/1/17/0"]
    assert "tracks_left_out" not in data
    assert data["evidence"]["mask_left_out"] is True
    assert "mask" not in data["evidence"]


def test_an_alert_that_cannot_be_made_small_is_refused_as_a_record() -> None:
    with pytest.raises(TooLargeError, match=r"alert a1: body: \d+ bytes > 20000"):
        told(changed(ALERT, labels=("x" * 30_000,)))


LABELS = {
    "alert_id": "a1",
    "alertname": "person-leaves",
    "camera": "hall",
    "kind": "presence",
    "severity": "warning",
    "zone": "exit",
}
SUMMARY = "person-leaves (presence: person) in zone exit of camera hall"


@pytest.mark.parametrize("state", ["opened", "updated"])
def test_alertmanager_is_posted_an_alert_that_goes_on_until_it_is_told_otherwise(
    state: str,
) -> None:
    assert told(changed(ALERT, state=state), "alertmanager") == [
        {
            "labels": LABELS,
            "annotations": {"summary": SUMMARY},
            "startsAt": "2027-01-15T08:00:00.000000Z",
            "endsAt": "9999-01-01T00:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("lasted_s", "ends"), [(300, "2027-01-15T08:04:00"), (20, "2027-01-15T08:00:00")]
)
def test_alertmanager_is_posted_an_end_that_its_clock_has_passed_and_never_before_the_beginning(
    lasted_s: int, ends: str
) -> None:
    over = changed(RESOLVED, time_us=OPENED_US + lasted_s * 1_000_000)
    (alert,) = told(over, "alertmanager")

    assert alert["endsAt"] == f"{ends}.000000Z"
    assert alert["labels"] == LABELS


def test_alertmanager_v4_is_a_group_of_one() -> None:
    linked = changed(ALERT, detail="twice", snapshot="s3://kept/a1.jpg", clip="s3://kept/a1.mp4")
    annotations = {
        "summary": SUMMARY,
        "description": "twice",
        "snapshot": "s3://kept/a1.jpg",
        "clip": "s3://kept/a1.mp4",
    }
    group = told(linked, "alertmanager-v4")

    (alert,) = group.pop("alerts")
    assert alert == {
        "status": "firing",
        "labels": LABELS,
        "annotations": annotations,
        "startsAt": "2027-01-15T08:00:00.000000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": fingerprint(LABELS),
    }
    assert group == {
        "receiver": "ops",
        "status": "firing",
        "groupLabels": LABELS,
        "commonLabels": LABELS,
        "commonAnnotations": annotations,
        "externalURL": "",
        "version": "4",
        "groupKey": '{}:{alert_id="a1", alertname="person-leaves", camera="hall", '
        'kind="presence", severity="warning", zone="exit"}',
        "truncatedAlerts": 0,
    }


def test_alertmanager_v4_ends_in_the_same_group() -> None:
    opened, resolved = (told(each, "alertmanager-v4") for each in (ALERT, RESOLVED))

    assert (resolved["status"], resolved["alerts"][0]["status"]) == ("resolved", "resolved")
    assert resolved["alerts"][0]["endsAt"] == "2027-01-15T08:05:00.000000Z"
    assert resolved["groupKey"] == opened["groupKey"]
    assert resolved["alerts"][0]["fingerprint"] == opened["alerts"][0]["fingerprint"]


def test_an_alert_about_a_camera_s_health_has_no_zone_among_its_labels() -> None:
    lost = changed(ALERT, kind="health", zone=None, labels=("lost",), evidence=None)
    (alert,) = told(lost, "alertmanager")

    assert "zone" not in alert["labels"]
    assert alert["annotations"]["summary"] == "person-leaves (health: lost) of camera hall"
