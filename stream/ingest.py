"""The loop of ``ingest``: cameras in, frames and control records out. One task a camera."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from stream import codec
from stream.backoff import delay_s
from stream.errors import CameraChangedError, CameraError
from stream.metrics import Metrics
from stream.playing import Player, ToPicture
from stream.ports import Begin, Clock, Epochs, Feed, Outbox, Registry
from stream.roster import Roster
from stream.specs import CameraHealthSpec, CameraSpec
from stream.telling import Teller
from stream.types import CameraState, CameraStatus

OpenFeed = Callable[[CameraSpec], AbstractAsyncContextManager[Feed]]
USUAL = CameraHealthSpec()
TOPICS = ("frames", "frames-archive", "camera-status")

_log = logging.getLogger(__name__)


class Ingest:
    """Runs the cameras of this process, whichever these are."""

    def __init__(
        self,
        open_feed: OpenFeed,
        to_picture: ToPicture,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        epochs: Epochs,
    ) -> None:
        self._open_feed = open_feed
        self._player = Player(to_picture, outbox, clock, metrics)
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._epochs = epochs
        self._camera_health = USUAL
        self._said: dict[str, CameraStatus] = {}

    async def run(self, registry: Registry, camera_health: CameraHealthSpec = USUAL) -> None:
        """Run what ``registry`` says, side by side, until all have ended (files).

        ``camera_health`` says when a live camera is in trouble.
        """
        self._camera_health = camera_health

        async def left(camera: CameraSpec) -> None:
            await self._leave(camera, registry.cameras.get(camera.id))

        await Roster(registry, self._run_camera, left).run()

    async def _leave(self, camera: CameraSpec, now: CameraSpec | None) -> None:
        """A camera is not this process's any more: if it goes on elsewhere, others tell of it.

        Nobody goes on with the epoch of a file that was changed or removed.
        """
        if now != camera:
            await self._player.close(await self._epochs.due(camera))
        if now is None:
            await self._say(camera.id, "ended", "removed")
        self._said.pop(camera.id, None)
        self._metrics.forget(camera.id)

    async def _run_camera(self, camera: CameraSpec) -> None:
        self._metrics.forget(camera.id)
        self._metrics.camera_reconnects.labels(camera.id)  # there at 0: the first shows as a rise
        await self._say(camera.id, "connecting")
        if camera.mode == "live":
            teller = Teller(camera.id, self._camera_health, self._metrics)
            async with asyncio.TaskGroup() as tasks:
                repeating = tasks.create_task(teller.repeat(self._clock))
                await self._keep_live(camera, teller)
                repeating.cancel()
        else:
            await self._play_file(camera)

    async def _keep_live(self, camera: CameraSpec, teller: Teller) -> None:
        """Connect, again and again: the longer it is away, the rarer, up to a bound."""
        failures = 0
        while True:
            began_us = self._clock.now_us()
            try:
                await self._connect(camera, teller)
            except CameraError as error:
                if not error.retriable:
                    await self._say(camera.id, "failed", _reason(camera, error))
                    return
                await self._tell_lost(camera, teller, error)
                await self._say(camera.id, "lost", _reason(camera, error))
                if self._clock.now_us() - began_us > error.retry_s[1] * 1e6:
                    failures = 0  # it was there for a while, or slow to fail
                await self._clock.sleep(delay_s(camera.id, failures, error.retry_s))
                failures += 1
            else:
                await self._say(camera.id, "ended")
                if not camera.loop:
                    return
                failures = 0

    async def _tell_lost(self, camera: CameraSpec, teller: Teller, error: CameraError) -> None:
        """Tell of it on ``frames``; the claim that this may take is a state of its own."""
        if isinstance(error, CameraChangedError):
            return  # it is there
        if not teller.has_epoch:
            teller.claim(self._player.writer(camera, await self._begin(camera)))
        await teller.lost(_reason(camera, error), self._clock.now_us())

    async def _connect(self, camera: CameraSpec, teller: Teller) -> None:
        """One connection: one epoch, which it claims only once a picture came."""
        async with self._open_feed(camera) as feed:
            begin = await self._begin(camera)
            await self._say(camera.id, "live")
            await self._player.play_live(camera, feed, begin, teller)

    async def _begin(self, camera: CameraSpec) -> Begin:
        begin = await self._epochs.begin(camera)
        assert begin is not None, "a live camera always begins"
        return begin

    async def _play_file(self, camera: CameraSpec) -> None:
        try:
            await self._play_through(camera)
        except asyncio.CancelledError:
            await self._outbox.flush()  # whoever goes on with it sees where it stands
            raise

    async def _play_through(self, camera: CameraSpec) -> None:
        while (begin := await self._begin_file(camera)) is not None:
            try:
                async with self._open_feed(camera) as feed:
                    await self._say(camera.id, "live")
                    await self._player.play_file(camera, feed, begin)
            except CameraError as error:
                await self._say(camera.id, "failed", _reason(camera, error))
                return
            await self._say(camera.id, "ended")
            if not camera.loop:
                return
        await self._say(camera.id, "ended")  # it was done before this process began

    async def _begin_file(self, camera: CameraSpec) -> Begin | None:
        await self._outbox.flush()  # where a file stands is read from what is acknowledged
        return await self._epochs.begin(camera)

    async def _say(self, camera: str, state: CameraState, reason: str = "") -> None:
        """Tell of a state that is new, on ``camera-status`` and in the log."""
        self._metrics.camera_state.tell(camera, state)
        before, now_us = self._said.get(camera), self._clock.now_us()
        if before is not None and (before.state, before.reason) == (state, reason):
            return
        since_us = before.began_us if before is not None and before.state == state else 0
        status = self._said[camera] = CameraStatus(camera, state, now_us, reason, since_us)
        if before is not None and before.state == "lost" and state == "live":
            self._metrics.camera_reconnects.labels(camera).inc()
        level = logging.WARNING if state in ("lost", "failed") else logging.INFO
        _log.log(level, "camera %s: %s%s", camera, state, reason and f": {reason}")
        await self._outbox.send("camera-status", codec.encode(status))


def _reason(camera: CameraSpec, error: CameraError) -> str:
    """What is wrong, for who knows of which camera it is said."""
    return str(error).removeprefix(f"camera {camera.id}: ")
