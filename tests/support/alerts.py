"""Alerts as ``watch`` makes them."""

from stream.types import Alert, AlertState

OPENED_US = 1_800_000_000_000_000


def opened(
    name: str, *notify: str, rule: str = "person-inside", state: AlertState = "opened"
) -> Alert:
    """An alert that begins, for the endpoint ``ops`` where no others are named."""
    return Alert(
        id=name,
        state=state,
        rule=rule,
        kind="presence",
        camera="hall",
        zone="loading",
        labels=("person",),
        severity="warning",
        tracks=("hall/1/17/0",),
        opened_us=OPENED_US,
        time_us=OPENED_US,
        evidence=None,
        notify=notify or ("ops",),
    )
