"""Whether a role is ready for work, and whether it is alive: what a probe is told, and why."""

from collections.abc import Iterable

from stream.ports import Progress

STILL_S = 60.0
"""How long committed positions may stand still while there is work: longer than a broker needs to
come back, and than any batch takes."""
CANARY_S = 60.0
"""How long the model may go without a canary that it answers."""


class Health:
    """Collects what decides. ``waits_for`` names what must be reached before the role is ready.

    Times are microseconds of one clock that never steps.
    """

    def __init__(self, now_us: int, waits_for: Iterable[str] = ()) -> None:
        self._waits_for = dict.fromkeys(waits_for)
        self._draining = False
        self._committed = -1
        self._moved_us = now_us
        self._lag = 0
        self._canary_us: int | None = None
        self._canary_error = ""

    def reached(self, name: str) -> None:
        """One of the conditions holds from now on."""
        self._waits_for.pop(name, None)

    def draining(self) -> None:
        """The role stops: it takes no more work."""
        self._draining = True

    def progress(self, progress: Progress, now_us: int) -> None:
        """What the transport says of this process's inboxes."""
        if progress.is_assigned:
            self.reached("partitions")
        if progress.committed != self._committed or progress.lag == 0:
            self._committed, self._moved_us = progress.committed, now_us
        self._lag = progress.lag

    def canary(self, error: str | None, now_us: int) -> None:
        """The model answered a canary, or failed with ``error``."""
        if error is None:
            self._canary_us = now_us
        self._canary_error = error or ""

    def unready(self) -> list[str]:
        """Why the role is not ready; empty when it is."""
        if self._draining:
            return ["it is stopping"]
        return [f"it waits for: {name}" for name in self._waits_for]

    def dead(self, now_us: int) -> list[str]:
        """Why the role should be started anew; empty while it lives."""
        reasons = []
        still_s = (now_us - self._moved_us) / 1e6
        if self._lag and still_s > STILL_S:
            reasons.append(
                f"nothing was committed for {still_s:.0f} s, with {self._lag} records waiting; "
                f"allowed: {STILL_S:g} s"
            )
        if self._canary_error:
            reasons.append(f"the model failed: {self._canary_error}")
        elif self._canary_us is not None and now_us - self._canary_us > CANARY_S * 1e6:
            silent_s = (now_us - self._canary_us) / 1e6
            reasons.append(
                f"the model did not answer for {silent_s:.0f} s; allowed: {CANARY_S:g} s"
            )
        return reasons
