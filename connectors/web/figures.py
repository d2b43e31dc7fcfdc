"""What the page and the API say about a camera in figures."""

from collections import Counter, deque
from typing import Literal

import numpy as np
from msgspec import Struct, structs

from stream.rules.trouble import FRESH_US, Trouble, Troubles, heard
from stream.skipping import Skipped, Skipping
from stream.types import (
    CameraHealth,
    CameraState,
    CameraStatus,
    Condition,
    Gap,
    Joined,
    Mode,
    ModelRef,
    Result,
)

HORIZON_US = 10_000_000
"""Rate and ages are those of the last ten seconds."""
KEPT = 5_000
"""Results remembered within the horizon: 500 a second."""
WITHOUT_AFTER_US = 1_000_000
"""A frame that was passed over alone is not worth a word."""
OLD_US = 5_000_000
"""A picture of a live camera that is so old when it is shown is the past."""

Lacked = Literal["masks", "identities"]


class Without(Struct, frozen=True):
    """What the pictures are shown without, and for how long by now, in seconds."""

    what: Lacked
    for_s: float


class Figures(Struct, frozen=True):
    """One camera in figures; None where nothing was seen within the horizon.

    ``since_us`` is when the state began, as ingest tells; None where it told of none. ``epoch`` is
    the highest that was heard of, ``mode`` that of the newest picture. ``rate`` is results per
    second, an age is from arrival at ingest until the page got the result, ``gaps`` counts frames
    by reason since the page began. ``conditions`` has those that were told lately, ``skipped`` what
    is skipped in earnest. ``without`` says what there is not of the pictures that are shown.
    ``old_s`` is how old one of a live camera was when it was shown, since it arrived at ingest,
    where that is more than `OLD_US`.
    """

    state: CameraState | None
    since_us: int | None
    reason: str
    epoch: int | None
    mode: Mode | None
    conditions: dict[Condition, Trouble]
    skipped: Skipped | None
    without: Without | None
    old_s: float | None
    rate: float | None
    age_p50_ms: float | None
    age_p99_ms: float | None
    gaps: dict[str, int]
    model: ModelRef | None


class Gauge:
    """Measures what comes for one camera. Time is an argument, in microseconds."""

    def __init__(self) -> None:
        self._results: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._gaps: Counter[str] = Counter()
        self._skipping = Skipping()
        self._model: ModelRef | None = None
        self._status: CameraStatus | None = None
        self._troubles: Troubles = {}
        self._epoch: int | None = None
        self._mode: Mode | None = None
        self._shown_us = 0
        self._old_us = 0
        self._lacked: tuple[Lacked, int] | None = None

    def show(self, joined: Joined, now_us: int) -> None:
        """A picture is shown, with what is known of it."""
        frame = joined.frame
        self._mode = frame.mode
        self._shown_us = now_us
        self._old_us = now_us - frame.arrived_us if frame.mode == "live" else 0
        what = _lacked(joined)
        if what is None:
            self._lacked = None
        elif self._lacked is None or self._lacked[0] != what:
            self._lacked = what, now_us

    def count(self, terminal: Result | Gap, now_us: int) -> None:
        """A frame ended."""
        self.reach(terminal.epoch)
        if isinstance(terminal, Gap):
            frames = terminal.last - terminal.first + 1
            self._gaps[terminal.reason] += frames
            self._skipping.ended(now_us, frames, terminal.reason)
        else:
            self._skipping.ended(now_us, 1, None)
            self._results.append((now_us, now_us - terminal.arrived_us))
            self._model = terminal.model

    def reach(self, epoch: int) -> None:
        """The camera has come to an epoch."""
        self._epoch = max(self._epoch or 0, epoch)

    def status(self, status: CameraStatus) -> None:
        """Ingest said how the camera is. The last that was written counts, whatever clocks say."""
        self._status = status

    def health(self, health: CameraHealth, now_us: int) -> None:
        """Ingest said what ails the camera, or does no more."""
        self.reach(health.epoch)
        self._troubles = heard(self._troubles, structs.replace(health, time_us=now_us))

    def figures(self, now_us: int) -> Figures:
        """The figures at ``now_us``."""
        while self._results and self._results[0][0] < now_us - HORIZON_US:
            self._results.popleft()
        p50_ms = p99_ms = None
        if self._results:
            ages_ms = [age_us / 1e3 for _, age_us in self._results]
            p50_ms, p99_ms = (float(age) for age in np.percentile(ages_ms, [50, 99]))
        return Figures(
            state=self._state(),
            since_us=self._status.began_us if self._status else None,
            reason=self._status.reason if self._status else "",
            epoch=self._epoch,
            mode=self._mode,
            conditions={
                condition: trouble
                for condition, trouble in self._troubles.items()
                if now_us - trouble.told_us < FRESH_US
            },
            skipped=self._skipping.found(now_us),
            without=self._without(now_us),
            old_s=self._old_s(now_us),
            rate=self._rate(now_us),
            age_p50_ms=p50_ms,
            age_p99_ms=p99_ms,
            gaps=dict(self._gaps),
            model=self._model,
        )

    def _is_shown(self, now_us: int) -> bool:
        """Whether pictures come: of one that stands still it would be no news what it lacks."""
        return now_us - self._shown_us <= HORIZON_US

    def _old_s(self, now_us: int) -> float | None:
        is_old = self._old_us > OLD_US and self._is_shown(now_us)
        return self._old_us / 1e6 if is_old else None

    def _without(self, now_us: int) -> Without | None:
        if self._lacked is None or not self._is_shown(now_us):
            return None
        what, since_us = self._lacked
        for_us = now_us - since_us
        return Without(what, for_us / 1e6) if for_us >= WITHOUT_AFTER_US else None

    def _rate(self, now_us: int) -> float | None:
        """From the first to the last result; a silence of more than a second counts as well."""
        if len(self._results) < 2:
            return None
        first_us, last_us = self._results[0][0], self._results[-1][0]
        span_us = max(last_us - first_us, now_us - first_us - 1_000_000)
        return (len(self._results) - 1) / span_us * 1e6 if span_us else None

    def _state(self) -> CameraState | None:
        if self._status is not None:
            return self._status.state
        return "live" if self._results else None


def _lacked(joined: Joined) -> Lacked | None:
    if joined.result is None:
        return "masks"
    return "identities" if joined.tracks is None else None
