"""Links to pictures are put into alerts before anybody is told of them."""

import asyncio
import logging
from typing import Protocol

from msgspec import structs

from stream import tracing
from stream.context import about
from stream.declared import FINITE
from stream.errors import EvidenceError, EvidenceGoneError
from stream.evidence import Clip
from stream.metrics import Metrics
from stream.types import Alert

PATIENCE_S = 2.0
"""Most that an alert waits for its picture."""

_log = logging.getLogger(__name__)


class Illustrator(Protocol):
    """Makes and stores pictures of what alerts tell of."""

    async def snapshot(self, alert: Alert) -> str:
        """Store the frame that the alert tells of; returns its link. Equal for equal evidence."""

    def clip(self, alert: Alert) -> Clip | None:
        """The clip that there will be of it, where one was asked for."""


class Illustrating:
    """Alerts with links, as far as these can be had in time. Without an illustrator, as they are.

    No alert is ever lost, or waits for long, because of its picture.
    """

    def __init__(self, illustrator: Illustrator | None, metrics: Metrics) -> None:
        self._illustrator = illustrator
        self._metrics = metrics
        if illustrator is not None:
            for outcome in FINITE["snapshots.outcome"]:
                metrics.snapshots.labels(outcome)

    def due_us(self, alert: Alert) -> int | None:
        """When the clip is due that this change of the alert asks for; None where it asks for
        none.
        """
        if self._illustrator is None or alert.clip is None or alert.state != "opened":
            return None
        clip = self._illustrator.clip(alert)
        return clip and clip.due_us

    async def illustrated(self, alert: Alert) -> Alert:
        """The alert with the links that it gets."""
        if self._illustrator is None or alert.evidence is None or not alert.notify:
            return alert
        clip, snapshot, outcome = None, None, "stored"
        try:
            clip = self._illustrator.clip(alert)
            with tracing.span("snapshot"):
                async with asyncio.timeout(PATIENCE_S):
                    snapshot = await self._illustrator.snapshot(alert)
        except TimeoutError:
            outcome = "late"
            self._tell(alert, f"it was not there within {PATIENCE_S:g} s")
        except EvidenceError as error:
            outcome = error.reason
            self._tell(alert, error)
            clip = None if isinstance(error, EvidenceGoneError) else clip
        except Exception as error:  # whatever is wrong with a picture, the alert goes out
            outcome = "failed"
            self._tell(alert, repr(error))
        self._metrics.snapshots.labels(outcome).inc()
        return structs.replace(alert, snapshot=snapshot, clip=clip and clip.link)

    def _tell(self, alert: Alert, why: object) -> None:
        with about(camera=alert.camera, alert=alert.id):
            _log.warning("alert %s goes out without a picture: %s", alert.id, why)
