"""Read along on all topics without working on them: for the live page and the annotated video."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from stream.codec import decode, decode_frame, kind_of
from stream.errors import RecordError
from stream.follow import follow
from stream.join import Join
from stream.ports import Clock, Delivery, Inbox
from stream.types import (
    Alert,
    CameraHealth,
    CameraStatus,
    EpochClosed,
    EpochOpened,
    Frame,
    Gap,
    Joined,
    Result,
    Tracks,
)

LOOK_EVERY_S = 0.25
"""How often it is looked for frames that have waited long enough, and for cameras that are gone."""
MOST_BYTES = 256 * 1024 * 1024
"""Pictures of all cameras that wait for what others say about them: as much as a topic of
``memory://`` holds, which are the same pictures."""

TOPICS = ("frames", "frames-archive", "masks", "tracks", "alerts", "camera-status")
"""What an observer can read."""

Seen = Joined | Result | Gap | EpochOpened | EpochClosed | Alert | CameraHealth | CameraStatus
"""What an observer is told: a `Result` or `Gap` as soon as it is known, and a `Joined` when all
about its frame is."""


@dataclass(frozen=True)
class Patience:
    """How an observer waits who shows what is now: for ``live_us`` at most, see `Join.lapse`.

    Of a camera that ``is_gone`` nothing is held.
    """

    clock: Clock
    live_us: int
    is_gone: Callable[[str], bool]


async def observe(
    inboxes: Mapping[str, Inbox],
    see: Callable[[Seen], Awaitable[None]],
    patience: Patience | None = None,
) -> None:
    """Tell ``see`` what comes in on ``inboxes`` (by topic, any of `TOPICS`), one at a time.

    Returns when all inboxes have ended and ``see`` has had the rest. Without an inbox on
    ``tracks`` a frame is complete with its terminal; without ``patience`` each frame is waited
    for, and with it some may be passed over where memory is short. A record that cannot be read is
    left out: dead letters are the business of whoever works on the record. Records are committed
    when they have been seen, so an observer that waits holds the writers of ``memory://`` up.
    """
    join = _join(patience, with_tracks="tracks" in inboxes)
    turn = asyncio.Lock()

    async def use(delivery: Delivery) -> None:
        async with turn:
            for seen in _taken(delivery, join):
                await see(seen)

    async def hurry(patience: Patience) -> None:
        while True:
            await patience.clock.sleep(LOOK_EVERY_S)
            async with turn:
                for seen in _overdue(join, patience):
                    await see(seen)

    async with asyncio.TaskGroup() as tasks:
        hurrying = [] if patience is None else [tasks.create_task(hurry(patience))]
        await follow(inboxes, use)
        for each in hurrying:
            each.cancel()
    for joined in join.rest():
        await see(joined)


def _join(patience: Patience | None, *, with_tracks: bool) -> Join:
    if patience is None:
        return Join(with_tracks=with_tracks)
    now_us = patience.clock.now_us()
    return Join(with_tracks=with_tracks, most_bytes=MOST_BYTES, now_us=now_us)


def _overdue(join: Join, patience: Patience) -> list[Joined]:
    for camera in join.cameras:
        if patience.is_gone(camera):
            join.forget(camera)
    return join.lapse(patience.clock.now_us(), patience.live_us)


def _taken(delivery: Delivery, join: Join) -> list[Seen]:
    record = delivery.record
    try:
        message = decode_frame(record) if kind_of(record) == "frame" else decode(record)
    except RecordError:
        return []
    is_again = delivery.topic in {"frames", "frames-archive"}
    # What ingest says on frames comes again on masks, in order with the results.
    match message:
        case Frame():
            return [*join.add_frame(message)]
        case Tracks():
            return [*join.add_tracks(message)]
        case Result() | Gap() if not is_again:
            return [message, *join.add_terminal(message)]
        case EpochOpened() | EpochClosed() | CameraHealth() | Alert() | CameraStatus() if (
            not is_again
        ):
            return [message]
    return []
