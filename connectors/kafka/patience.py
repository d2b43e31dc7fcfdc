"""Asking again while brokers are away: an outage is waited out, whatever it lasts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError, KafkaTimeoutError

AGAIN_S = 0.5
"""Often enough to go on at once when a broker is back, seldom enough not to burden it."""

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
