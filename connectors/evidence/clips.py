"""The making of clips, as deliveries: who retries webhooks over days retries them as well."""

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.annotate import VideoWriter
from connectors.evidence.artist import Artist
from connectors.evidence.reel import Reel
from connectors.evidence.store import EvidenceStore
from stream.errors import DeliveryError, DeliveryRefusedError, MaskstreamError, RecordError
from stream.evidence import CLIPS, clip_name
from stream.ports import Clock, Retained
from stream.rulebook import Rulebook
from stream.types import Alert

AT_A_TIME = 2
"""Clips that are made side by side: each takes a core."""
QUALITY = 23

_log = logging.getLogger(__name__)


class Clips:
    """A `stream.ports.Sink` that makes the clip that an alert's rule asks for, and stores it."""

    def __init__(
        self,
        retained: Retained,
        store: EvidenceStore,
        artist: Artist,
        rulebook: Rulebook,
        clock: Clock,
    ) -> None:
        self._retained = retained
        self._store = store
        self._artist = artist
        self._rulebook = rulebook
        self._clock = clock
        self._making = asyncio.Semaphore(AT_A_TIME)

    async def deliver(self, alert: Alert) -> str:
        """Store the clip, unless it is there. Returns how many frames it has.

        Raises `DeliveryError` when the store does not take it or its last frames are not there
        yet, and `DeliveryRefusedError` when there will never be a clip of this alert.
        """
        asked, name = self._rulebook.clip(alert.rule), clip_name(alert)
        if asked is None or name is None or alert.evidence is None:
            raise DeliveryRefusedError(f"{CLIPS}: rule {alert.rule[:80]} asks for no clip")
        try:
            if await self._store.has(name):
                return "is there"
            async with self._making:
                spans_us = (round(asked.before * 1e6), round(asked.after * 1e6))
                return await self._make(alert, Reel(alert, alert.evidence, *spans_us), name)
        except DeliveryError:
            raise
        except MaskstreamError as error:
            raise DeliveryError(f"{CLIPS}: {error}") from error
        except Exception as error:
            _log.exception("the clip of alert %s cannot be made", alert.id)
            raise DeliveryRefusedError(f"{CLIPS}: {type(error).__name__}: {error}") from error

    async def _make(self, alert: Alert, reel: Reel, name: str) -> str:
        with TemporaryDirectory() as folder:
            path = Path(folder, "clip.mp4")
            frames = 0
            async with (
                VideoWriter(path, quality=QUALITY, faststart=True) as video,
                aclosing(reel.frames(self._retained, self._clock)) as found,
            ):
                async for joined in found:
                    try:
                        pixels = await asyncio.to_thread(self._artist.picture, joined, alert)
                    except RecordError:
                        continue
                    await video.write(pixels, joined.frame.time_us)
                    frames += 1
            if not frames:
                raise DeliveryRefusedError(f"{CLIPS}: the frames are not kept any more")
            await self._store.put(name, await asyncio.to_thread(path.read_bytes))
        return f"{frames} frames"
