"""Brokers that are away: an outage is waited out, whatever it lasts, but not when leaving."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, KafkaTimeoutError

AGAIN_S = 0.5
"""Often enough to go on at once when a broker is back, seldom enough not to burden it."""
LEAVE_S = 3.0
"""How long a goodbye may take. What was not acknowledged by then was not promised to anybody."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


async def patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """What ``ask`` returns, once it does. Raises what would not get better by itself."""
    told = False
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not (error.retriable or isinstance(error, KafkaTimeoutError)):
                raise
            if not told:
                _log.warning("waiting for a broker: %s", error)
            told = True
        await asyncio.sleep(AGAIN_S)


async def leave(goodbye: Coroutine[Any, Any, None]) -> None:
    """Say goodbye; a client whose brokers are away would wait for them for ever.

    While they are, aiokafka's consumer also raises the cancellation of its own tasks.
    """
    try:
        async with asyncio.timeout(LEAVE_S):
            await goodbye
    except (TimeoutError, KafkaError, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        _log.warning("left without a goodbye: %s", str(error) or "no broker answered")
