"""From the topics to the page: a reader like any other, in a group of its own."""

import asyncio
from collections.abc import Mapping

from connectors.web.page import Page
from stream.observe import Patience, Seen, observe
from stream.ports import Clock, Inbox
from stream.types import (
    Alert,
    CameraHealth,
    CameraStatus,
    EpochClosed,
    EpochOpened,
    Gap,
    Joined,
    Result,
)

MOST_WAIT_S = 10.0
"""However old results may be: what is shown longer after it came is the past."""
ON_THE_WAY_S = 1.0
"""From the moment at which a frame is judged fresh until its result and tracks are here."""


async def show(inboxes: Mapping[str, Inbox], page: Page, clock: Clock, max_age_s: float) -> None:
    """Feed ``page`` from ``inboxes`` (by topic, any of `stream.observe.TOPICS`) until all end.

    A picture of a live camera waits for its result and tracks as long as they may take where
    frames older than ``max_age_s`` are skipped. Then it is shown without.
    """
    wait_s = min(max_age_s + ON_THE_WAY_S, MOST_WAIT_S)
    patience = Patience(clock, round(wait_s * 1e6), page.is_gone)
    async with asyncio.TaskGroup() as group:
        remembering = group.create_task(page.remember())
        await _feed(inboxes, page, patience)
        remembering.cancel()


async def tell(inboxes: Mapping[str, Inbox], page: Page) -> None:
    """As `show`, beside another that has the pictures."""
    await _feed(inboxes, page, None)


async def _feed(inboxes: Mapping[str, Inbox], page: Page, patience: Patience | None) -> None:
    async def see(seen: Seen) -> None:
        match seen:
            case Joined():
                page.offer(seen)
            case Result() | Gap():
                page.count(seen)
            case Alert():
                await page.alert(seen)
            case EpochOpened() | EpochClosed():
                page.epoch(seen)
            case CameraHealth():
                page.health(seen)
            case CameraStatus():
                page.status(seen)

    await observe(inboxes, see, patience)
