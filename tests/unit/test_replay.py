"""Which alerts that endpoints never took are sent again."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest

from stream import codec
from stream.errors import SchemaError, UndeliveredError
from stream.evidence import CLIPS
from stream.notify.body.plain import body_of
from stream.notify.replay import Letter, Outcome, Replay
from stream.ports import Delivery
from stream.specs import EndpointSpec
from stream.types import Alert, AlertState, DeliveryState, DeliveryStatus
from tests.support.alerts import OPENED_US, opened

Body = Literal["json", "alertmanager-v4", "alertmanager"]


def change(name: str, state: AlertState = "opened", at_s: int = 0) -> Alert:
    time_us = OPENED_US + at_s * 1_000_000
    return msgspec.structs.replace(opened(name, "ops", "pager"), state=state, time_us=time_us)


def status(alert: Alert, state: DeliveryState, endpoint: str = "ops") -> DeliveryStatus:
    return DeliveryStatus(alert.id, alert.state, endpoint, state, 1, alert.time_us, snapshot=alert)


def endpoint(name: str, body: Body = "json") -> EndpointSpec:
    secret = {"env": "OPS_SECRET"}
    return EndpointSpec.model_validate(
        {"id": name, "url": "https://ops.example", "secret": secret, "body": body}
    )


def judged(
    letters: Sequence[Letter], deliveries: Sequence[DeliveryStatus] = (), body: Body = "json"
) -> list[tuple[str, str, Outcome]]:
    replay = Replay(letters, [endpoint("ops", body), endpoint("pager")])
    for each in deliveries:
        replay.add(each)
    return [
        (each.endpoint, f"{each.alert.id} {each.alert.state}", outcome)
        for each, outcome in replay.judged()
    ]


def test_what_was_given_up_is_due_for_its_endpoint_alone() -> None:
    letter = Letter("ops", change("a1"))

    assert judged([letter], [status(letter.alert, "given_up")]) == [("ops", "a1 opened", "due")]
    assert letter.again.notify == ("ops",)
    assert body_of(letter.again) == body_of(letter.alert)


def test_changes_come_in_the_order_in_which_they_happened() -> None:
    letters = [
        Letter("ops", change("a1", "resolved", 9)),
        Letter("ops", change("b2", at_s=5)),
        Letter("ops", change("a1")),
    ]

    assert [told for _, told, _ in judged(letters)] == ["a1 opened", "b2 opened", "a1 resolved"]


def test_what_was_given_up_twice_is_sent_once() -> None:
    assert len(judged([Letter("ops", change("a1"))] * 2)) == 1


def test_what_was_taken_since_is_not_sent_again_whatever_was_written_late() -> None:
    alert = change("a1")
    letters = [Letter("ops", alert), Letter("pager", alert)]
    deliveries = [
        status(alert, "given_up"),
        status(alert, "delivered"),
        status(alert, "pending"),
        status(alert, "given_up", "pager"),
    ]

    assert judged(letters, deliveries) == [
        ("ops", "a1 opened", "taken since"),
        ("pager", "a1 opened", "due"),
    ]


def test_what_is_being_tried_is_left_to_that() -> None:
    alert = change("a1")
    states = [status(alert, "given_up"), status(alert, "pending")]

    assert judged([Letter("ops", alert)], states) == [("ops", "a1 opened", "pending")]


def test_what_an_endpoint_took_of_another_alert_or_change_does_not_count() -> None:
    other = [status(change("b2"), "delivered"), status(change("a1", "updated", 3), "delivered")]

    assert judged([Letter("ops", change("a1"))], other) == [("ops", "a1 opened", "due")]


@pytest.mark.parametrize("body", ["alertmanager", "alertmanager-v4"])
def test_an_alert_that_is_over_is_not_opened_once_more_at_alertmanager(body: Body) -> None:
    letters = [Letter("ops", change("a1")), Letter("ops", change("b2"))]
    taken = [status(change("a1", "resolved", 9), "delivered")]

    assert judged(letters, taken, body) == [
        ("ops", "a1 opened", "overtaken"),
        ("ops", "b2 opened", "due"),
    ]


def test_what_was_for_an_endpoint_that_is_no_more_stays_where_it_is() -> None:
    assert judged([Letter("gone", change("a1"))]) == [("gone", "a1 opened", "not configured")]
    assert judged([Letter(CLIPS, change("a1"))]) == [(CLIPS, "a1 opened", "clip")]


def test_a_dead_letter_says_which_endpoint_it_was() -> None:
    alert = change("a1")
    delivery = Delivery("alerts", codec.encode(alert), None, "alerts@7")
    letter = codec.dead_letter(delivery, UndeliveredError("ops", "403 Forbidden: ops: x"))

    assert letter.headers["dead_letter_endpoint"] == b"ops"
    assert codec.undelivered(letter) == ("ops", alert)


def test_a_dead_letter_of_another_kind_is_no_alert_that_was_not_taken() -> None:
    delivery = Delivery("frames", codec.encode(change("a1")), None, "frames@7")

    assert codec.undelivered(codec.dead_letter(delivery, SchemaError("x"))) is None
