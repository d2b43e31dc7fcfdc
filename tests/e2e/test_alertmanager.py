"""Alerts to a real Alertmanager: active until they are resolved, silenced, passed on."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretBytes

from connectors.clock import SteadyClock
from connectors.webhook import Webhook
from stream.notify import body_for
from stream.notify.trial import trial
from stream.specs import EndpointSpec
from stream.types import Alert
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.alerts import opened
from tests.support.receiver import SECRET
from tests.support.waiting import eventually

AGO_S = 300


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path) as running:
        yield running


def now(name: str) -> Alert:
    """An alert that was opened some minutes ago."""
    since_us = (time.time_ns() // 1000) - AGO_S * 1_000_000
    return msgspec.structs.replace(
        opened(name), opened_us=since_us, time_us=since_us, detail="by the gate", snapshot="s.jpg"
    )


def over(alert: Alert, lasted_s: float = AGO_S - 1) -> Alert:
    time_us = alert.opened_us + round(lasted_s * 1e6)
    return msgspec.structs.replace(alert, state="resolved", time_us=time_us)


def endpoint(manager: Alertmanager, body: str = "alertmanager") -> EndpointSpec:
    url = f"{manager.url}/api/v2/alerts"
    fields = {"id": "hook", "url": url, "body": body, "secret": {"env": "OPS_SECRET"}}
    return EndpointSpec.model_validate({**fields, "allow_private": True})


async def tell(manager: Alertmanager, *alerts: Alert) -> None:
    spec = endpoint(manager)
    keys = [SecretBytes(base64.b64decode(SECRET))]
    async with Webhook(spec, keys, body_for(spec), SteadyClock()) as sink:
        for alert in alerts:
            assert (await sink.deliver(alert)).startswith("200")


async def test_an_opened_alert_is_active_until_it_is_resolved(manager: Alertmanager) -> None:
    alert = now("a1")
    await tell(manager, alert, msgspec.structs.replace(now("a2"), camera="yard"))
    await eventually(lambda: manager.states() == {"a1": "active", "a2": "active"}, "both are there")

    await tell(manager, over(alert))
    await eventually(lambda: manager.states() == {"a2": "active"}, "one is over")


async def test_an_open_alert_outlives_the_time_after_which_others_are_taken_for_over(
    manager: Alertmanager,
) -> None:
    await tell(manager, now("ours"))
    manager.post({"labels": {"alertname": "x", "alert_id": "without an end"}})
    assert manager.states().keys() == {"ours", "without an end"}

    await eventually(lambda: "without an end" not in manager.states(), "the other ran out")
    assert manager.states() == {"ours": "active"}


async def test_an_alert_is_resolved_although_alertmanager_s_clock_is_behind(
    manager: Alertmanager,
) -> None:
    alert = now("a1")
    await tell(manager, alert)
    await tell(manager, over(alert, AGO_S + 30))

    await eventually(lambda: manager.states() == {}, "it is over")


async def test_a_test_alert_is_active_and_then_over(manager: Alertmanager) -> None:
    started, ended = trial("hook", time.time_ns() // 1000)
    await tell(manager, started)
    await eventually(lambda: manager.states() == {started.id: "active"}, "it is there")
    await tell(manager, ended)
    await eventually(lambda: manager.states() == {}, "it is over")


async def test_a_silence_holds_an_alert_back(manager: Alertmanager) -> None:
    manager.silence("camera", "hall")
    await tell(manager, now("quiet"), msgspec.structs.replace(now("loud"), camera="yard"))

    await eventually(
        lambda: manager.states() == {"quiet": "suppressed", "loud": "active"}, "one is held back"
    )
    await eventually(lambda: bool(manager.told), "the other is told")
    assert [each["commonLabels"]["alert_id"] for each in manager.told] == ["loud"]


async def test_what_we_post_as_alertmanager_v4_is_what_alertmanager_would_send(
    manager: Alertmanager,
) -> None:
    alert = now("a1")
    to_body = body_for(endpoint(manager, "alertmanager-v4"))
    for number, change in enumerate((alert, over(alert)), 1):
        await tell(manager, change)
        await eventually(lambda n=number: len(manager.told) == n, "it is told")  # type: ignore[misc]
        theirs, ours = manager.told[-1], json.loads(to_body(change))

        assert shape(ours) == shape(theirs)
        assert list(ours) == list(theirs)
        for group in (theirs, ours):
            del group["externalURL"], group["alerts"][0]["endsAt"]
        assert normal(ours) == normal(theirs)


def shape(value: Any) -> Any:
    """The keys and the types, without what is said."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


def normal(group: dict[str, Any]) -> dict[str, Any]:
    """With its time written without zeros at the end, as Go does."""
    (alert,) = group["alerts"]
    began = alert["startsAt"].removesuffix("Z").rstrip("0").removesuffix(".")
    return {**group, "alerts": [{**alert, "startsAt": began}]}
