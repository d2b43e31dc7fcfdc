"""From the topics to the page: a reader like any other, in a group of its own."""

import asyncio
from collections.abc import Mapping

from connectors.web.page import Page
from stream.observe import Seen, observe
from stream.ports import Inbox
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


async def show(inboxes: Mapping[str, Inbox], page: Page) -> None:
    """Feed ``page`` from ``inboxes`` (by topic, any of `stream.observe.TOPICS`) until all end."""
    async with asyncio.TaskGroup() as group:
        remembering = group.create_task(page.remember())
        await tell(inboxes, page)
        remembering.cancel()


async def tell(inboxes: Mapping[str, Inbox], page: Page) -> None:
    """As `show`, beside another that has the pictures."""

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

    await observe(inboxes, see)
