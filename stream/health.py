"""Whether a role is ready for work, and whether it is alive: what a probe is told, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stream.ports import Progress, Share

STILL_S = 60.0
"""How long the committed positions of a topic may stand still while there is work and the brokers
take it: longer than any batch takes. A partition alone may wait longer, as files share a device."""
CANARY_S = 60.0
"""How long the model may go without a canary that it answers."""


@dataclass(frozen=True, slots=True)
class _Stand:
    """How far a topic is, and since when."""

    share: Share
    since_us: int


class Health:
    """Collects what decides. ``waits_for`` names what must be reached before the role is ready.

    Times are microseconds of one clock that never steps.
    """

    def __init__(self, waits_for: Iterable[str] = ()) -> None:
        self._waits_for = dict.fromkeys(waits_for)
        self._draining = False
        self._stands: Mapping[str, _Stand] = {}
        self._canary_us: int | None = None
        self._canary_error = ""
        self._cramped = ""

    def reached(self, name: str) -> None:
        """One of the conditions holds from now on."""
        self._waits_for.pop(name, None)

    def draining(self) -> None:
        """The role stops: it takes no more work."""
        self._draining = True

    def progress(self, progress: Progress, now_us: int) -> None:
        """What the transport says of this process's inboxes. Time in which it says nothing does
        not count: nobody is started anew for an outage.
        """
        if progress.is_assigned:
            self.reached("partitions")
        self._stands = {
            topic: _Stand(share, self._since_us(topic, share, now_us))
            for topic, share in progress.shares.items()
        }

    def _since_us(self, topic: str, share: Share, now_us: int) -> int:
        before = self._stands.get(topic)
        if before is None or not share.lag or share.committed != before.share.committed:
            return now_us
        return before.since_us

    def expect_canaries(self, now_us: int) -> None:
        """From now on the model has to answer them."""
        self._canary_us = now_us

    def canary(self, error: str | None, now_us: int) -> None:
        """The model answered a canary, or failed with ``error``."""
        if error is None:
            self._canary_us = now_us
        self._canary_error = error or ""

    def room(self, views: int, batch: int) -> None:
        """The model's device takes ``views`` at once, of the ``batch`` that it should."""
        self._cramped = (
            f"the device has room for {views} of the {batch} views of a batch"
            if views < batch
            else ""
        )

    def unready(self) -> list[str]:
        """Why the role is not ready; empty when it is."""
        if self._draining:
            return ["it is stopping"]
        reasons = [f"it waits for: {name}" for name in self._waits_for]
        if self._canary_error:
            reasons.append(f"the model failed: {self._canary_error}")
        elif self._cramped:
            reasons.append(self._cramped)
        return reasons

    def dead(self, now_us: int) -> list[str]:
        """Why the role should be started anew; empty while it lives."""
        reasons = []
        for topic, stand in self._stands.items():
            still_s = (now_us - stand.since_us) / 1e6
            if stand.share.lag and still_s > STILL_S:
                reasons.append(
                    f"{topic}: nothing was committed for {still_s:.0f} s, with {stand.share.lag} "
                    f"records waiting; allowed: {STILL_S:g} s"
                )
        if self._canary_error:
            reasons.append(f"the model failed: {self._canary_error}")
        elif self._canary_us is not None and now_us - self._canary_us > CANARY_S * 1e6:
            silent_s = (now_us - self._canary_us) / 1e6
            reasons.append(
                f"the model did not answer for {silent_s:.0f} s; allowed: {CANARY_S:g} s"
            )
        return reasons
