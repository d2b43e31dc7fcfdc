"""Epochs of cameras that others may run by now."""

from collections.abc import Iterable

from connectors.kafka.epochs import KafkaEpochs
from stream.ports import Begin, Record
from stream.specs import CameraSpec
from tests.support.clock import VirtualClock

HALL = CameraSpec(id="hall", url="rtsp://camera/1")


async def begun(answers: Iterable[bool]) -> tuple[Begin | None, int]:
    """How a camera begins where brokers answer so whether it is ours; and how many were claimed."""
    left, claimed = iter(answers), list[Record]()

    async def claim(record: Record) -> int:
        claimed.append(record)
        return len(claimed) - 1

    async def is_ours(_: CameraSpec) -> bool:
        return next(left)

    async def last(_: str) -> None:
        return None

    epochs = KafkaEpochs(claim, last, lambda _: 0, is_ours, VirtualClock())
    return await epochs.begin(HALL), len(claimed)


async def test_a_camera_that_is_ours_begins_with_one_claim() -> None:
    assert await begun([True, True]) == (Begin(1), 1)


async def test_nothing_is_claimed_of_a_camera_that_others_may_run() -> None:
    assert await begun([False, False, True, True]) == (Begin(1), 1)


async def test_a_claim_does_not_count_that_may_be_later_than_the_next_owners() -> None:
    assert await begun([True, False, True, True]) == (Begin(2), 2)
