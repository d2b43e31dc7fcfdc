"""When a rule is awake, by the wall clock of its own time zone."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from stream.rule_spec import DAYS, ScheduleSpec, ScheduleWindow
from stream.types import FIRST_US, LAST_US

MINUTE_US = 60_000_000
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 24 * 60 * MINUTE_US
_EARLIEST_US, _LATEST_US = FIRST_US + 2 * _DAY_US, LAST_US - 2 * _DAY_US
"""Nearer to the ends of what `datetime` knows there is no local time everywhere."""


def is_awake(schedule: ScheduleSpec | None, time_us: int) -> bool:
    """Whether the event time ``time_us`` lies in one of its windows; without one, it always does.

    Where clocks are put back, an hour of the night comes twice and counts twice.
    """
    if schedule is None:
        return True
    return _in_minute(schedule, min(max(time_us, _EARLIEST_US), _LATEST_US) // MINUTE_US)


@lru_cache(maxsize=4096)
def _in_minute(schedule: ScheduleSpec, minute: int) -> bool:
    """Windows begin and end with a minute, so one answer serves all of it."""
    now = (_ORIGIN + timedelta(minutes=minute)).astimezone(ZoneInfo(schedule.timezone))
    return any(_is_in(window, now) for window in schedule.windows)


def _is_in(window: ScheduleWindow, now: datetime) -> bool:
    begin, end = (_minutes(text) for text in window.hours.split("-"))
    at = now.hour * 60 + now.minute
    today = DAYS[now.weekday()] in window.days
    if begin < end:
        return today and begin <= at < end
    yesterday = DAYS[now.weekday() - 1] in window.days
    return (today and at >= begin) or (yesterday and at < end)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
