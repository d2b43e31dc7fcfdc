"""Frames that brokers still keep, with their results, as `stream.ports.Retained`."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from aiokafka import TopicPartition

from connectors.kafka.cursors import Cursor, Cursors, Found
from connectors.kafka.records import record_of
from connectors.kafka.searching import of_camera, place
from connectors.kafka.terminals import Terminals, ended
from stream import codec
from stream.errors import RecordError, UnsupportedVersionError
from stream.ports import RESULT_LATE_S, Record
from stream.types import Frame, FrameId, Joined

TOPICS = ("frames", "frames-archive")
MOST_PICTURES, MOST_RESULTS = 1_000, 20_000
"""Records of other cameras that are looked through. Where more lie between two of a camera's own,
it has stopped, and what it wrote before counts as gone."""
MOST_SPANS = 3
"""Spans that are read at once, so that a single frame need not wait for them."""

_REF = re.compile(r"(frames|frames-archive)/([0-9]{1,9})@([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Places:
    """Kafka's name of a topic, the number of a camera's partition in it, and how many there are."""

    name_of: Callable[[str], str]
    number_of: Callable[[str, str], int]
    partitions: int

    def of(self, topic: str, camera: str) -> TopicPartition:
        """The partition that a camera's records go to."""
        return TopicPartition(self.name_of(topic), self.number_of(topic, camera))

    def read(self, ref: str | None) -> tuple[TopicPartition, int] | None:
        """The partition and offset that a frame's ref names, where there can be such."""
        found = _REF.fullmatch(ref or "")
        if found is None or int(found[2]) >= self.partitions:
            return None
        return TopicPartition(self.name_of(found[1]), int(found[2])), int(found[3])


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame, and where its record lies."""

    frame: Frame
    partition: TopicPartition
    offset: int


class KafkaRetained:
    """See `stream.ports.Retained`. Raises `ConnectError` while brokers are away."""

    def __init__(self, cursors: Cursors, places: Places) -> None:
        self._cursors = cursors
        self._places = places
        self._spans = asyncio.Semaphore(MOST_SPANS)

    async def frame(self, at: FrameId, ref: str | None) -> Joined | None:
        """As `stream.ports.Retained.frame`."""
        kept = await self._kept(at, ref)
        if kept is None:
            return None
        async with self._cursors.at(self._masks(kept)) as masks:
            start, _ = await _end_of(at, masks)
            terminals = _terminals(masks.following(start, RESULT_LATE_S), at)
            return Joined(kept.frame, await terminals.of(at.seq), None)

    async def around(
        self, at: FrameId, ref: str | None, before_us: int, after_us: int
    ) -> AsyncGenerator[Joined, None]:
        """As `stream.ports.Retained.around`."""
        async with self._spans:
            kept = await self._kept(at, ref)
            if kept is None:
                return
            first_us, last_us = kept.frame.time_us - before_us, kept.frame.time_us + after_us
            async with (
                self._cursors.at(kept.partition) as pictures,
                self._cursors.at(self._masks(kept)) as masks,
            ):
                terminals = None
                async for frame in _span(pictures, kept, first_us, last_us):
                    if terminals is None:
                        terminals = _terminals(masks.between(*await _end_of(frame.id, masks)), at)
                    yield Joined(frame, await terminals.of(frame.id.seq), None)

    async def _kept(self, at: FrameId, ref: str | None) -> Kept | None:
        named = self._places.read(ref)
        if named is not None and (kept := await self._named(*named, at)) is not None:
            return kept
        for topic in TOPICS:
            if (kept := await self._searched(self._places.of(topic, at.camera), at)) is not None:
                return kept
        return None

    async def _named(self, partition: TopicPartition, offset: int, at: FrameId) -> Kept | None:
        async with self._cursors.at(partition) as cursor:
            if offset not in await cursor.bounds():
                return None
            return await _found(cursor.between(offset, offset + 1), partition, at)

    async def _searched(self, partition: TopicPartition, at: FrameId) -> Kept | None:
        def is_before(record: Record) -> bool | None:
            own = _frame_id(record)
            return None if own is None or own.camera != at.camera else own < at

        async with self._cursors.at(partition) as cursor:
            there = await cursor.bounds()
            start = await place(cursor, there.start, there.stop, is_before, MOST_PICTURES)
            return await _found(cursor.between(start, there.stop), partition, at)

    def _masks(self, kept: Kept) -> TopicPartition:
        """Where the results of a frame are: a camera has one number in all topics."""
        return TopicPartition(self._places.name_of("masks"), kept.partition.partition)


async def _found(
    records: AsyncIterator[Found], partition: TopicPartition, at: FrameId
) -> Kept | None:
    async for each in records:
        record = record_of(each)
        own = _frame_id(record)
        if own == at and (frame := _frame(record)) is not None:
            return Kept(frame, partition, each.offset)
        if own is not None and own.camera == at.camera and own > at:
            return None
    return None


async def _span(cursor: Cursor, kept: Kept, first_us: int, last_us: int) -> AsyncIterator[Frame]:
    """The frames of an epoch from one event time to another, in order."""
    camera, epoch, _ = kept.frame.id

    def is_before(record: Record) -> bool | None:
        own = _frame_id(record)
        if own is None or own.camera != camera:
            return None
        return (own.epoch, codec.time_us(record)) < (epoch, first_us)

    there = await cursor.bounds()
    start = await place(cursor, there.start, kept.offset + 1, is_before, MOST_PICTURES)
    next_seq = 0
    async for record in of_camera(cursor.between(start, there.stop), camera, MOST_PICTURES):
        frame = _frame(record)
        if frame is None or (frame.id.epoch, frame.id.seq) < (epoch, next_seq):
            continue  # a repeat, or of a process that was thought dead
        if (frame.id.epoch, frame.time_us) > (epoch, last_us):
            return
        if frame.time_us >= first_us:
            next_seq = frame.id.seq + 1
            yield frame


async def _end_of(at: FrameId, masks: Cursor) -> tuple[int, int]:
    """From which offset on to look for how a frame ended, and how many there are."""

    def is_before(record: Record) -> bool | None:
        found = ended(record) if record.key == at.camera else None
        return None if found is None else (found.epoch, found.last) < (at.epoch, at.seq)

    there = await masks.bounds()
    start = await place(masks, there.start, there.stop, is_before, MOST_RESULTS)
    return start, there.stop


def _terminals(records: AsyncIterator[Found], at: FrameId) -> Terminals:
    return Terminals(of_camera(records, at.camera, MOST_RESULTS), at.epoch)


def _frame_id(record: Record) -> FrameId | None:
    """None for a record that is no frame, or cannot be read."""
    try:
        codec.time_us(record)
        return codec.frame_id(record) if codec.kind_of(record) == "frame" else None
    except (RecordError, UnsupportedVersionError):
        return None


def _frame(record: Record) -> Frame | None:
    try:
        return codec.decode_frame(record)
    except (RecordError, UnsupportedVersionError):
        return None
