"""What looks on while the roles work: files, counts, the page. None of them takes part."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from connectors.annotate import write_videos
from connectors.evidence import EvidenceStore
from connectors.files import line_writer
from connectors.web import Exhibits, Page, lines_of, show
from stream import codec
from stream.cli.embedded import Role, beside
from stream.config import Settings
from stream.errors import RecordError
from stream.follow import follow
from stream.observe import TOPICS
from stream.ports import Clock, Delivery, Inbox, Outbox, Registry
from stream.rulebook import Rulebook
from stream.specs import video_path
from stream.tally import Tally
from stream.types import Picture, Pixels

Decode = Callable[[Picture], Pixels]
COUNTED = ("masks", "alerts", "camera-status", "deliveries", "dead-letters")
CAMERAS_EVERY_S = 1.0
"""How often the page asks which cameras there are."""


def results_file(path: Path) -> Role:
    """Writes what goes on ``masks`` to a file, a line each."""

    async def work(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        with line_writer(path) as write:

            async def use(delivery: Delivery) -> None:
                write(bytes(delivery.record.value))

            await follow(inboxes, use)

    return Role("results-file", work, reads=("masks",))


def counts(tally: Tally, clock: Clock) -> Role:
    """Counts everything that a run comes to."""

    async def use(delivery: Delivery) -> None:
        if delivery.topic == "dead-letters":
            reason = delivery.record.headers.get("dead_letter_reason", b"unknown")
            tally.add_dead_letter(reason.decode())
            return
        try:
            tally.add(codec.peek(delivery.record), clock.now_us())
        except RecordError:  # whoever works on the record tells of it
            return

    async def work(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        await follow(inboxes, use)

    return Role("counts", work, reads=COUNTED)


@asynccontextmanager
async def opened_page(
    settings: Settings, registry: Registry, rulebook: Rulebook, clock: Clock
) -> AsyncIterator[Page]:
    """The live page of a configuration, with the stored pictures of its alerts where some are. It
    follows the cameras that there are.
    """
    exhibits = None
    async with AsyncExitStack() as stack:
        if settings.evidence is not None:
            store = EvidenceStore(settings.evidence, os.environ)
            exhibits = Exhibits(await stack.enter_async_context(store), rulebook.clip)
        page = Page(
            cameras=tuple(registry.cameras),
            zones=lambda: rulebook.zones,
            now_us=clock.now_us,
            lines=lines_of(rulebook),
            rules=lambda: [rule.id for rule in rulebook.rules],
            exhibits=exhibits,
        )
        await stack.enter_async_context(beside(_kept(page, registry)))
        yield page


async def _kept(page: Page, registry: Registry) -> None:
    while True:
        page.keep(registry.cameras)
        await asyncio.sleep(CAMERAS_EVERY_S)


def live_page(page: Page, clock: Clock, max_age_s: float) -> Role:
    """Feeds the live page."""

    async def work(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        await show(inboxes, page, clock, max_age_s)

    return Role("page", work, reads=TOPICS)


def annotated_video(path: Path, cameras: Sequence[str], rulebook: Rulebook, decode: Decode) -> Role:
    """Writes every picture with what was seen in it; with several cameras, a file for each."""

    def path_of(camera: str) -> Path:
        return video_path(path, camera, {*cameras, camera})  # one that came later has its own

    async def work(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        await write_videos(inboxes, path_of, rulebook, decode)

    return Role("annotated-video", work, reads=TOPICS)
