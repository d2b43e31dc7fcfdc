"""Read along on all topics without working on them: for the live page and the annotated video."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from stream.codec import decode, decode_frame, kind_of
from stream.errors import RecordError
from stream.follow import follow
from stream.join import Join
from stream.ports import Delivery, Inbox
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

TOPICS = ("frames", "frames-archive", "masks", "tracks", "alerts", "camera-status")
"""What an observer can read."""

Seen = Joined | Result | Gap | EpochOpened | EpochClosed | Alert | CameraHealth | CameraStatus
"""What an observer is told: a `Result` or `Gap` as soon as it is known, and a `Joined` when all
about its frame is."""


async def observe(inboxes: Mapping[str, Inbox], see: Callable[[Seen], Awaitable[None]]) -> None:
    """Tell ``see`` what comes in on ``inboxes`` (by topic, any of `TOPICS`), one at a time.

    Returns when all inboxes have ended and ``see`` has had the rest. Without an inbox on
    ``tracks`` a frame is complete with its terminal. A record that cannot be read is left out:
    dead letters are the business of whoever works on the record. Records are committed when they
    have been seen, so an observer that waits holds the writers of ``memory://`` up.
    """
    join = Join(with_tracks="tracks" in inboxes)
    turn = asyncio.Lock()

    async def use(delivery: Delivery) -> None:
        async with turn:
            for seen in _taken(delivery, join):
                await see(seen)

    await follow(inboxes, use)
    for joined in join.rest():
        await see(joined)


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
