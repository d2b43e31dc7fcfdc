"""Reading topics to their end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from stream.errors import EndOfStream
from stream.ports import Delivery, Inbox

RECEIVE_RECORDS = 64
POLL_S = 1.0


async def follow(inboxes: Mapping[str, Inbox], use: Callable[[Delivery], Awaitable[None]]) -> None:
    """Give every record of ``inboxes`` to ``use`` until all have ended; commit what was used.

    Each topic is in order; topics interleave as they come.
    """
    async with asyncio.TaskGroup() as tasks:
        for inbox in inboxes.values():
            tasks.create_task(_follow(inbox, use))


async def _follow(inbox: Inbox, use: Callable[[Delivery], Awaitable[None]]) -> None:
    while True:
        try:
            deliveries = await inbox.receive(RECEIVE_RECORDS, POLL_S)
        except EndOfStream:
            return
        for delivery in deliveries:
            await use(delivery)
        await inbox.commit(deliveries)
