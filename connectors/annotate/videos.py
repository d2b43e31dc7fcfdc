"""The annotated video of each camera, made from the topics."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from connectors.annotate.drawing import draw
from connectors.annotate.writer import VideoWriter
from stream.errors import RecordError
from stream.observe import Seen, observe
from stream.ports import Inbox
from stream.rulebook import Rulebook
from stream.rules import Crossing
from stream.types import Alert, Joined, Picture, Pixels


async def write_videos(
    inboxes: Mapping[str, Inbox],
    path_of: Callable[[str], Path],
    rulebook: Rulebook,
    decode: Callable[[Picture], Pixels],
) -> None:
    """Write a video of each camera to ``path_of(camera)``, until all of ``inboxes`` end.

    Every frame is in it, those that ended as gaps without masks. An alert is drawn from the event
    time of its opening to that of its end. Drawing and encoding hold the pipeline up where they
    are slower than it.
    """
    async with AsyncExitStack() as videos:
        filming = _Filming(videos, path_of, rulebook, decode)
        await observe(inboxes, filming.see)


class _Filming:
    def __init__(
        self,
        videos: AsyncExitStack,
        path_of: Callable[[str], Path],
        rulebook: Rulebook,
        decode: Callable[[Picture], Pixels],
    ) -> None:
        self._videos = videos
        self._path_of = path_of
        self._rulebook = rulebook
        self._decode = decode
        self._writers: dict[str, VideoWriter] = {}
        self._alerts: dict[str, Alert] = {}

    async def see(self, seen: Seen) -> None:
        if isinstance(seen, Alert):
            self._alerts[seen.id] = seen
        if isinstance(seen, Joined):
            await self._write(seen)

    async def _write(self, joined: Joined) -> None:
        camera = joined.frame.id.camera
        if camera not in self._writers:
            writer = VideoWriter(self._path_of(camera))
            self._writers[camera] = await self._videos.enter_async_context(writer)
        open_alerts = self._open_alerts(camera, joined.frame.time_us)
        try:
            pixels = await asyncio.to_thread(self._draw, joined, open_alerts)
        except RecordError:
            return  # a picture that cannot be decoded is a dead letter and has no result either
        await self._writers[camera].write(pixels, joined.frame.time_us)

    def _draw(self, joined: Joined, open_alerts: Sequence[Alert]) -> Pixels:
        camera = joined.frame.id.camera
        zones = [zone for zone in self._rulebook.zones if zone.camera == camera]
        rules = self._rulebook.plans[camera].rules
        lines = [rule for rule in rules if isinstance(rule, Crossing)]
        pixels = self._decode(joined.frame.picture)
        return draw(pixels, joined.result, joined.tracks, [*zones, *lines], open_alerts)

    def _open_alerts(self, camera: str, time_us: int) -> list[Alert]:
        """Those open at ``time_us``; what ended before it is forgotten."""
        ended = [
            alert.id
            for alert in self._alerts.values()
            if alert.camera == camera and alert.state == "resolved" and alert.time_us <= time_us
        ]
        for name in ended:
            del self._alerts[name]
        of_camera = [alert for alert in self._alerts.values() if alert.camera == camera]
        return [alert for alert in of_camera if alert.opened_us <= time_us]
