"""Reading along on all topics."""

import asyncio
from contextlib import AsyncExitStack

from connectors.memory import MemoryTransport
from stream.codec import encode, encode_frame
from stream.observe import TOPICS, Patience, Seen, observe
from stream.ports import Record
from stream.types import Encoded, EpochClosed, Frame, FrameId, Gap, Joined, ModelRef, Result, Tracks
from tests.support.clock import VirtualClock
from tests.support.waiting import eventually

MODEL = ModelRef("yard", "0" * 64, "f32")


def frame(seq: int, camera: str = "hall") -> Record:
    return encode_frame(Frame(FrameId(camera, 1, seq), "live", (4, 6), seq, seq, Encoded(b"j")))


def result(seq: int) -> Result:
    return Result("hall", 1, seq, seq, seq, (4, 6), MODEL, ())


async def observed(sent: list[tuple[str, Record]], topics: tuple[str, ...]) -> list[Seen]:
    transport = MemoryTransport()
    seen: list[Seen] = []

    async def see(each: Seen) -> None:
        seen.append(each)

    async with AsyncExitStack() as stack:
        outbox = transport.outbox(*topics)
        inboxes = {
            topic: await stack.enter_async_context(transport.inbox(topic, "page"))
            for topic in topics
        }
        async with outbox as out:
            for topic, record in sent:
                await out.send(topic, record)
        await observe(inboxes, see)
    return seen


async def test_frames_meet_their_results_and_tracks() -> None:
    tracks = Tracks("hall", 1, 0, 0, ())
    seen = await observed(
        [("frames", frame(0)), ("masks", encode(result(0))), ("tracks", encode(tracks))], TOPICS
    )
    (joined,) = [each for each in seen if isinstance(each, Joined)]
    assert (joined.frame.id.seq, joined.result, joined.tracks) == (0, result(0), tracks)
    assert result(0) in seen


async def test_without_tracks_a_frame_is_complete_with_its_terminal() -> None:
    gap = Gap("hall", 1, 1, 1, 1, "stale")
    closed = EpochClosed("hall", 1, 2, 2, "ended")
    sent = [
        ("frames", frame(0)),
        ("frames", frame(1)),
        ("frames", encode(closed)),
        ("masks", encode(result(0))),
        ("masks", encode(gap)),
        ("masks", encode(closed)),
    ]
    seen = await observed(sent, ("frames", "masks"))
    joined = [each for each in seen if isinstance(each, Joined)]
    assert [each.result for each in joined] == [result(0), None]
    assert gap in seen


async def test_a_gap_that_ingest_tells_counts_once_and_hides_no_result_before_it() -> None:
    gap = Gap("hall", 1, 1, 2, 1, "overflow")
    on_frames = [("frames", each) for each in (frame(0), encode(gap), frame(3))]
    on_masks = [("masks", encode(each)) for each in (result(0), gap, result(3))]
    seen = await observed(on_frames + on_masks, ("frames", "masks"))
    joined = [each for each in seen if isinstance(each, Joined)]
    assert [each.result for each in joined] == [result(0), result(3)]
    assert seen.count(gap) == 1


async def test_an_unreadable_record_is_left_out() -> None:
    bad = Record("hall", b"\x80", {"ce_type": b"maskstream.result.v1"})
    seen = await observed([("masks", bad), ("masks", encode(result(3)))], ("masks",))
    assert seen == [result(3)]


async def test_frames_that_still_wait_come_out_at_the_end() -> None:
    seen = await observed([("frames", frame(0))], ("frames", "masks"))
    (joined,) = seen
    assert isinstance(joined, Joined)
    assert joined.result is None


async def test_who_has_patience_waits_for_nobody_who_is_away_and_holds_nothing_gone() -> None:
    transport, seen = MemoryTransport(), list[Seen]()

    async def see(each: Seen) -> None:
        seen.append(each)

    patience = Patience(VirtualClock(), 2_000_000, is_gone=lambda camera: camera == "yard")
    async with (
        transport.inbox("frames", "page") as frames,
        transport.inbox("masks", "page") as masks,
        transport.outbox("frames", "masks") as out,
        asyncio.TaskGroup() as tasks,
    ):
        inboxes = {"frames": frames, "masks": masks}
        observing = tasks.create_task(observe(inboxes, see, patience))
        await out.send("frames", frame(0, "yard"))
        await out.send("frames", frame(0))
        await eventually(lambda: len(seen) == 1, "a frame without a result is seen")
        observing.cancel()
    (joined,) = seen
    assert isinstance(joined, Joined)
    assert (joined.frame.id.camera, joined.result) == ("hall", None)
