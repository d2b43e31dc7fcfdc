"""A lost camera on a real broker, while those who look for it and who watch it come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np

from connectors.clock import SteadyClock
from connectors.kafka import KafkaTransport
from stream import codec, ingest, watch
from stream.config import Settings
from stream.errors import CameraError
from stream.metrics import Metrics
from stream.ports import Feed
from stream.registry import Listed
from stream.rules import Health
from stream.specs import CameraSpec
from stream.types import Alert, CameraHealth, MaskMessage
from stream.watching import plans, replay
from tests.support.clock import VirtualClock
from tests.support.feeds import ArrayFeed
from tests.support.kafka_transport import kafka_settings
from tests.support.segmenting import JPEG, Bench
from tests.support.topics import PATIENCE_S

HALL = CameraSpec(id="hall", url="rtsp://127.0.0.1/hall", fps=10)
DOWN = Health.model_validate({"id": "down", "conditions": ["lost"], "for": "10s", "resolve": "1s"})
LOST = CameraError("camera hall: Connection refused")


class Installation:
    """Ingest, segment and watch on one broker, each for as long as a test lets it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clock = VirtualClock()

    async def messages(self, topic: str) -> list[codec.Message]:
        """All JSON of a topic."""
        transport = KafkaTransport(self._settings)
        records = [each async for each in transport.whole(topic)]
        return [codec.decode(each) for each in records if codec.kind_of(each) != "frame"]

    async def until(self, topic: str, is_there: Callable[[list[codec.Message]], bool]) -> None:
        """Return once a topic holds what it should."""
        async with asyncio.timeout(PATIENCE_S):
            found = await self.messages(topic)
            while not is_there(found):
                await asyncio.sleep(0.1)
                found = await self.messages(topic)

    async def ingested(self, feed: Feed | None, told: tuple[bool, ...]) -> None:
        """An ingest whose camera is away, or there; it is killed once it has told so."""

        refusals = [] if feed is not None else [LOST]

        @asynccontextmanager
        async def open_feed(_: CameraSpec) -> AsyncIterator[Feed]:
            if refusals:
                raise refusals.pop()
            if feed is None:
                await asyncio.Event().wait()  # it does not answer any more
            else:
                yield feed

        transport = KafkaTransport(self._settings)
        async with (
            transport.outbox(*ingest.TOPICS) as outbox,
            transport.epochs(self.clock) as epochs,
        ):
            loop = ingest.Ingest(open_feed, JPEG.encode, outbox, self.clock, Metrics(), epochs)
            running = asyncio.create_task(loop.run(Listed([HALL])))
            await self.until("frames", lambda found: lost(found) == told)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def worked(self, told: int, alerts: tuple[str, ...]) -> None:
        """A segmenter and a watcher, until this much is told and alerted."""
        segmenting, watching = KafkaTransport(self._settings), KafkaTransport(self._settings)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Bench(transport=segmenting, clock=self.clock).run("frames"))
            tasks.create_task(_watched(watching))
            await self.until("masks", lambda found: len(lost(found)) >= told)
            await self.until("alerts", lambda found: states(found) == alerts)
            await segmenting.end()
            await watching.end()


async def _watched(transport: KafkaTransport) -> None:
    async with (
        transport.inbox("masks", "watch") as inbox,
        transport.outbox(*watch.TOPICS) as outbox,
        transport.store() as store,
    ):
        loop = watch.Watch(
            outbox, store, plans([DOWN], []), Metrics(), SteadyClock(), lambda _: True
        )
        await loop.run(inbox)


def lost(found: list[codec.Message]) -> tuple[bool, ...]:
    """What was told of the loss."""
    told = [each for each in found if isinstance(each, CameraHealth)]
    return tuple(each.is_on for each in told if each.condition == "lost")


def states(found: list[codec.Message]) -> tuple[str, ...]:
    return tuple(each.state for each in found if isinstance(each, Alert))


async def test_whoever_looks_for_a_lost_camera_goes_on_with_its_alert(kafka: str) -> None:
    settings = kafka_settings(kafka, partitions=1)
    await KafkaTransport(settings).apply()
    installed = Installation(settings)
    await installed.ingested(None, (True,))
    await installed.worked(1, ())
    installed.clock.advance(20)
    await installed.ingested(None, (True, True))
    await installed.worked(2, ("opened",))
    installed.clock.advance(20)
    noise = np.random.default_rng(0).integers(60, 200, (30, 48, 64, 3), np.uint8)
    back = ArrayFeed(list(noise), paced=True, began_us=installed.clock.now_us())
    await installed.ingested(back, (True, True, False))
    await installed.worked(3, ("opened", "resolved"))
    told = [each for each in await installed.messages("masks") if isinstance(each, CameraHealth)]
    epochs = [each.epoch for each in told if each.condition == "lost"]
    assert epochs == sorted({*epochs})
    masks = [each for each in await installed.messages("masks") if isinstance(each, MaskMessage)]
    assert replay([DOWN], [], masks) == await installed.messages("alerts")
