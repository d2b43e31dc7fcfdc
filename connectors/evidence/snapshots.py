"""The picture of an alert, and when its clip is due."""

import asyncio
from collections.abc import Callable

import simplejpeg

from connectors.evidence.artist import Artist
from connectors.evidence.store import EvidenceStore
from stream.errors import EvidenceGoneError
from stream.evidence import Clip, clip_name, snapshot_name
from stream.ports import Retained
from stream.rulebook import Rulebook
from stream.types import Alert, FrameId, Joined, Mode

QUALITY = 90
LATE_US = 2_000_000
"""How much later than its last frame a clip of a live camera is due: that one's result takes a
moment."""


class Illustrator:
    """A `stream.notify.Illustrator`.

    ``rulebook`` says which rules ask for a clip; ``mode`` tells how a camera is played.
    """

    def __init__(
        self,
        retained: Retained,
        store: EvidenceStore,
        artist: Artist,
        rulebook: Rulebook,
        mode: Callable[[str], Mode],
    ) -> None:
        self._retained = retained
        self._store = store
        self._artist = artist
        self._rulebook = rulebook
        self._mode = mode

    async def snapshot(self, alert: Alert) -> str:
        """Store the frame in the alert's evidence, drawn; returns its link.

        What was stored before is linked where the frame itself is gone by now. Raises
        `EvidenceGoneError` without either, `RecordError` for a frame that cannot be decoded, and
        `EvidenceError` where the store does not take it.
        """
        seen, name = alert.evidence, snapshot_name(alert)
        if seen is None or name is None:
            raise EvidenceGoneError(f"alert {alert.id[:80]}: tells of no frame")
        at = FrameId(alert.camera, seen.epoch, seen.seq)
        joined = await self._retained.frame(at, seen.frame_ref)
        if joined is not None:
            await self._store.put(name, await asyncio.to_thread(self._jpeg, joined, alert))
        elif not await self._store.has(name):
            raise EvidenceGoneError(f"alert {alert.id}: frame {at} is not kept any more")
        return self._store.link(name)

    def clip(self, alert: Alert) -> Clip | None:
        """The clip that there will be of the alert, if its rule asks for one.

        A file's event time says nothing of when its frames come, so its clip is due at once.
        """
        asked, name = self._rulebook.clip(alert.rule), clip_name(alert)
        if asked is None or name is None:
            return None
        due_us = alert.opened_us + round(asked.after * 1e6) + LATE_US
        is_live = self._mode(alert.camera) == "live"
        return Clip(self._store.link(name), due_us if is_live else 0)

    def _jpeg(self, joined: Joined, alert: Alert) -> bytes:
        pixels = self._artist.picture(joined, alert)
        jpeg: bytes = simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorspace="BGR")
        return jpeg
