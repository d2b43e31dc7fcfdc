"""``--expect``: how the alerts that came differ from those that were kept, in words."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, structs

from stream import codec
from stream.errors import ConfigError, RecordError
from stream.types import Alert

Life = Sequence[Alert]
"""All changes of one alert, in order."""
Lives = list[Life]

_HINT = "maskstream rules test CONFIG --json FILE writes such a file"
_ALIKE: tuple[Callable[[Life], Hashable], ...] = (
    lambda life: life[0].id,
    lambda life: (life[0].opened_us, life[0].tracks),
    lambda life: life[0].opened_us,
)
"""By what an alert finds its like. A rule whose settings were changed has alerts with other ids."""


def read_expected(path: Path) -> list[Alert]:
    """The changes of alerts in a file that ``--json`` wrote.

    Raises `ConfigError`, naming the line that is none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"--expect {path}: {error.strerror}; {_HINT}") from error
    changes = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                message = codec.from_json(line)
            except RecordError as error:
                raise ConfigError(f"--expect {path}:{number}: {error}; {_HINT}") from error
            if not isinstance(message, Alert):
                given = f"type: given {message.__struct_config__.tag}; allowed: alert"
                raise ConfigError(f"--expect {path}:{number}: {given}; {_HINT}")
            changes.append(message)
    return changes


def differences(expected: Iterable[Alert], found: Iterable[Alert]) -> Iterator[str]:
    """A line for each rule and camera whose alerts differ, and under it one for each that does.

    No line where all are equal. The order between rules and cameras is not compared.
    """
    wanted, came = _lives(expected), _lives(found)
    for rule, camera in dict.fromkeys([*wanted, *came]):
        place = (rule, camera)
        yield from _of_place(f"rule {rule}, camera {camera}", wanted[place], came[place])


def _lives(changes: Iterable[Alert]) -> defaultdict[tuple[str, str], Lives]:
    by_id: defaultdict[tuple[str, str, str], list[Alert]] = defaultdict(list)
    for alert in changes:
        by_id[alert.rule, alert.camera, alert.id].append(alert)
    lives: defaultdict[tuple[str, str], Lives] = defaultdict(list)
    for (rule, camera, _), life in by_id.items():
        lives[rule, camera].append(life)
    return lives


def _of_place(place: str, wanted: Lives, came: Lives) -> Iterator[str]:
    pairs, missing, new = _paired(wanted, came)
    told = [(life, "missing") for life in missing] + [(life, "new") for life in new]
    told += [(one, words) for one, other in pairs if (words := _change(one, other))]
    others = sum(one[0].id != other[0].id for one, other in pairs)
    if not told and not others:
        return
    alerts = "1 alert" if len(wanted) == 1 else f"{len(wanted):,} alerts"
    ids = f"; {others:,} with another id" if others else ""
    yield f"{place}: {alerts} expected, {len(came):,} found{ids}"
    for life, words in sorted(told, key=lambda each: each[0][0].opened_us):
        yield f"  opened {_moment(life[0].opened_us)}: {words}"


def _paired(wanted: Lives, came: Lives) -> tuple[list[tuple[Life, Life]], Lives, Lives]:
    """Who is whom, those that did not come, and those that nobody expected."""
    pairs = []
    for key in _ALIKE:
        waiting: defaultdict[Hashable, deque[Life]] = defaultdict(deque)
        for life in came:
            waiting[key(life)].append(life)
        left = []
        for life in wanted:
            if its := waiting[key(life)]:
                pairs.append((life, its.popleft()))
            else:
                left.append(life)
        wanted, came = left, [life for its in waiting.values() for life in its]
    return pairs, wanted, came


def _change(wanted: Life, came: Life) -> str:
    """What is otherwise than expected, but for the id."""
    if _end(wanted) != _end(came):
        return f"{_end(came)}, expected {_end(wanted)}"
    if len(wanted) != len(came):
        return f"told in {len(came)} changes, expected {len(wanted)}"
    names = {name for pair in zip(wanted, came, strict=True) for name in _names(*pair)} - {"id"}
    return f"other {', '.join(sorted(names))}" if names else ""


def _end(life: Life) -> str:
    over = life[-1].state == "resolved"
    return f"resolved {_moment(life[-1].time_us)}" if over else "still open"


def _names(one: Struct, other: Struct, prefix: str = "") -> Iterator[str]:
    """The fields in which two structures of a kind differ, those of ``evidence`` by themselves."""
    for name in (each.name for each in structs.fields(one)):
        mine, its = getattr(one, name), getattr(other, name)
        if name == "evidence" and mine is not None and its is not None:
            yield from _names(mine, its, "evidence.")
        elif mine != its:
            yield prefix + name


def _moment(time_us: int) -> str:
    """A local time, as in the table, to the millisecond: frames are nearer than a second."""
    second, rest_us = divmod(time_us, 1_000_000)
    moment = datetime.fromtimestamp(second) + timedelta(microseconds=rest_us)
    return moment.isoformat(" ", "milliseconds")
