"""A test alert, which nothing has caused: pure."""

from msgspec import structs

from stream.notify.body.alertmanager import CLOCKS_APART_US
from stream.types import Alert

KIND = "test"
"""The kind of a test alert. No rule has it, while a rule of a user may well be called so."""


def trial(endpoint: str, now_us: int) -> tuple[Alert, Alert]:
    """A test alert for ``endpoint``: how it opened, and how it is over at ``now_us``.

    It ends, so that none stays open at the receiver; and it began so long before as Alertmanager's
    clock may be behind, which else would not take it for over. Its id is new at every instant, so
    that a receiver that keeps ids does not take it for a repeat.
    """
    opened_us = now_us - CLOCKS_APART_US
    opened = Alert(
        id=f"test-{now_us}",
        state="opened",
        rule="test",
        kind=KIND,
        camera="test",
        zone=None,
        labels=(),
        severity="info",
        tracks=(),
        opened_us=opened_us,
        time_us=opened_us,
        evidence=None,
        notify=(endpoint,),
        detail=f"a test of endpoint {endpoint}: nothing was seen",
    )
    return opened, structs.replace(opened, state="resolved", time_us=now_us)
