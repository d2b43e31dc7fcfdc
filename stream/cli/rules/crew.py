"""Replaying in as many processes as there are cores: cameras know nothing of each other."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from operator import itemgetter

from msgspec import structs

from stream import codec
from stream.backtest import Backtest, Found, together
from stream.cli.rules.recording import Line, Read, Recording
from stream.errors import RecordError, SchemaError
from stream.ports import Record
from stream.rules import AnyRule, Health
from stream.specs import ZoneSpec
from stream.types import CameraHealth, EpochClosed, EpochOpened, Gap, MaskMessage, Result

ROUND = 2048
"""Lines that are handed out at once. What has fewer is done before a process would be up."""

Told = list[tuple[int, bytes]]
"""Changes of alerts as JSON, each with the number of the line that made it."""
Numbered = Sequence[tuple[int, Line]]


@dataclass(frozen=True)
class Work:
    """What is replayed: rules on zones, for lines that ``read`` understands."""

    rules: tuple[AnyRule, ...]
    zones: tuple[ZoneSpec, ...]
    read: Read


class Hand:
    """Replays the lines of some cameras."""

    def __init__(self, work: Work) -> None:
        self._read = work.read
        self._backtest = Backtest(work.rules, work.zones)

    def take(self, lines: Numbered) -> Told:
        """Replay lines, in order."""
        told: Told = []
        for number, line in lines:
            try:
                message = self._message(line.record)
            except RecordError as error:
                camera = line.record.key or "(unknown)"
                self._backtest.add_unread(camera, f"{line.place}: {error}")
                continue
            told += ((number, codec.to_json(each)) for each in self._backtest.add(message))
        return told

    def found(self) -> Found:
        """What it came to."""
        return self._backtest.found()

    def _message(self, record: Record) -> MaskMessage:
        plan = self._backtest.plans[record.key]
        looks = any(not isinstance(rule, Health) for rule in plan.rules)
        message = self._read(record) if looks else codec.peek(record)
        if not isinstance(message, Result | Gap | EpochOpened | EpochClosed | CameraHealth):
            raise SchemaError(f"type: given {message.__struct_config__.tag}; not one of masks")
        if message.camera != record.key:
            raise SchemaError(f"camera: given {message.camera}; the key is {record.key}")
        if isinstance(message, Result) and not looks:  # whom no rule looks for need not be tracked
            return structs.replace(message, instances=())
        return message


class Crew:
    """Replays a recording; once all was told, ``found`` is what it came to."""

    found: Found

    def __init__(self, work: Work) -> None:
        self._work = work

    async def told(self, recording: Recording) -> AsyncIterator[bytes]:
        """Each change of an alert as JSON, in the order of the recording."""
        rounds, passed = _rounds(recording.lines), recording.passed
        first: Numbered = await anext(rounds, [])
        if len(first) < ROUND:
            hand = Hand(self._work)
            for _, change in hand.take(first):
                yield change
            passed.done, self.found = len(first), hand.found()
            return
        with ExitStack() as stack:
            hands = [stack.enter_context(_process(self._work)) for _ in range(_cores())]
            deal = Dealer(hands).deal
            size, under_way = len(first), deal(first)
            async for each in rounds:  # a round is read and handed out while another is replayed
                later = len(each), deal(each)
                for change in await _changes(under_way):
                    yield change
                passed.done += size
                size, under_way = later
            for change in await _changes(under_way):
                yield change
            passed.done += size
            parts = [asyncio.wrap_future(hand.submit(_found)) for hand in hands]
            self.found = together(await asyncio.gather(*parts))


class Dealer:
    """Gives each camera's lines to one process, that of the fewest cameras when it came up."""

    def __init__(self, hands: Sequence[ProcessPoolExecutor]) -> None:
        self._hands = hands
        self._hand_of: dict[str, int] = {}

    def deal(self, lines: Numbered) -> list[Future[Told]]:
        """Hand out lines; what comes of them."""
        dealt: list[list[tuple[int, Line]]] = [[] for _ in self._hands]
        for number, line in lines:
            turn = len(self._hand_of) % len(self._hands)
            dealt[self._hand_of.setdefault(line.record.key, turn)].append((number, line))
        shares = zip(self._hands, dealt, strict=True)
        return [hand.submit(_take, share) for hand, share in shares if share]


async def _rounds(lines: AsyncIterator[Line]) -> AsyncIterator[Numbered]:
    """The lines, numbered from 0, up to `ROUND` at a time."""
    taken: list[tuple[int, Line]] = []
    number = 0
    async for line in lines:
        taken.append((number, line))
        number += 1
        if len(taken) == ROUND:
            yield taken
            taken = []
    if taken:
        yield taken


async def _changes(futures: Iterable[Future[Told]]) -> list[bytes]:
    told = await asyncio.gather(*map(asyncio.wrap_future, futures))
    return [change for _, change in sorted(chain(*told), key=itemgetter(0))]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _process(work: Work) -> ProcessPoolExecutor:
    """One process that keeps what it knows of its cameras from round to round."""
    return ProcessPoolExecutor(1, get_context("spawn"), _begin, (work,))


_hand: Hand
"""Of a process of the crew, and of no other."""


def _begin(work: Work) -> None:
    global _hand  # noqa: PLW0603 - a process is given what it is for when it begins
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who began it ends it
    _hand = Hand(work)


def _take(lines: Numbered) -> Told:
    return _hand.take(lines)


def _found() -> Found:
    return _hand.found()
