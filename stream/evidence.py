"""What the pictures of alerts are called, and whose time is over: pure.

``{camera}/{day}/{alert}/{epoch}-{seq}.jpg`` and, beside it, ``clip.mp4``. The name follows from
the alert, so a repeat overwrites itself, and what is to go is found by the names alone. The day is
that of the opening, in event time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from stream.types import Alert

CLIPS = "evidence/clips"
"""The endpoint whose deliveries are the making of clips. No endpoint of a user can be called so."""

_NAME = re.compile(
    r"(?P<camera>[a-z0-9][a-z0-9-]{0,62})/\d{4}-\d\d-\d\d/(?P<alert>[A-Za-z0-9_-]{1,64})"
    r"/(\d+-\d+\.jpg|clip\.mp4)(\.[a-z0-9_]+\.part)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clip(NamedTuple):
    """A clip that is to be made: where it will be, and when its making may begin."""

    link: str
    due_us: int


def snapshot_name(alert: Alert) -> str | None:
    """Where the frame in the alert's evidence is kept; None where there is none, or the alert has
    names that none of ours has: they come from a topic that others may write.
    """
    seen = alert.evidence
    return None if seen is None else _checked(f"{_folder(alert)}/{seen.epoch}-{seen.seq}.jpg")


def clip_name(alert: Alert) -> str | None:
    """Where the clip of the alert is kept; None as for `snapshot_name`."""
    return None if alert.evidence is None else _checked(f"{_folder(alert)}/clip.mp4")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the store; ``stored_us`` is when it was written."""

    name: str
    stored_us: int
    size_bytes: int


def chosen(
    kept: Iterable[Kept],
    stored_before_us: int | None = None,
    camera: str | None = None,
    alert: str | None = None,
) -> list[Kept]:
    """Those that are evidence and fulfil each condition that is given, by name.

    Age counts from when a file was stored and not from event time: that of a file that was
    recorded long ago would be over before anybody was told.
    """
    found = []
    for each in kept:
        match = _NAME.fullmatch(each.name)
        if (
            match is not None
            and (stored_before_us is None or each.stored_us < stored_before_us)
            and camera in {None, match["camera"]}
            and alert in {None, match["alert"]}
        ):
            found.append(each)
    return sorted(found, key=lambda each: each.name)


def _folder(alert: Alert) -> str:
    day = (_EPOCH + timedelta(microseconds=alert.opened_us)).date()
    return f"{alert.camera}/{day.isoformat()}/{alert.id}"


def _checked(name: str) -> str | None:
    return name if _NAME.fullmatch(name) else None
