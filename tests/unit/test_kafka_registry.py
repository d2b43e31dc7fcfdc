"""What a process is told to run when its group has thought it dead."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from connectors.kafka.directory import Directory
from connectors.kafka.registry import KafkaRegistry
from connectors.kafka.sharing import Sharing
from stream.registry import Change
from stream.specs import CameraSpec

HALL = CameraSpec(id="hall", url="rtsp://camera/1", partition=0)


class Member:
    """What `Sharing` is to a registry, in a group that always gives the same."""

    def __init__(self) -> None:
        self.mine = frozenset({0})
        self.is_doubted = False

    def was_thought_dead(self) -> bool:
        was, self.is_doubted = self.is_doubted, False
        return was

    def release(self, _: frozenset[int]) -> None: ...

    async def wait(self) -> None: ...


async def test_who_was_thought_dead_puts_all_to_rest_before_it_goes_on() -> None:
    member, directory = Member(), Directory()
    directory.hear([Change(None, HALL).record(0, since=0)])

    @asynccontextmanager
    async def join() -> AsyncIterator[Sharing]:
        yield cast(Sharing, member)

    async with KafkaRegistry(directory, join).share() as shares:
        told = [list(await anext(shares))]
        member.is_doubted = True
        told += [list(await anext(shares)) for _ in range(3)]
    assert told == [["hall"], [], ["hall"], ["hall"]]
