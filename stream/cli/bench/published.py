"""Results on ``masks``, and when they came to lie there by the broker's clock.

No reader runs meanwhile, so none is in the way, and none adds its own delay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from aiokafka import TopicPartition

from connectors.kafka.client import client_options
from connectors.kafka.reading import open_reader, whole
from connectors.kafka.records import record_of
from connectors.kafka.topics import name_of
from stream import codec
from stream.config import Settings
from stream.types import Result

TOPIC = "masks"


@dataclass(frozen=True, slots=True)
class Published:
    """A result, and when a broker had it, in microseconds since the Unix epoch."""

    result: Result
    at_us: int

    @property
    def age_s(self) -> float:
        """From arrival at ingest to publication."""
        return (self.at_us - self.result.arrived_us) / 1e6


async def published(settings: Settings) -> list[Published]:
    """All results on ``masks``, in the order of their publication."""
    name = name_of(TOPIC, settings.kafka)
    partitions = [TopicPartition(name, number) for number in range(settings.kafka.partitions)]
    found = []
    async with open_reader(client_options(settings.transport, settings.kafka)) as reader:
        async for each in whole(reader, partitions, None):
            message = codec.decode(record_of(each))
            if isinstance(message, Result):
                found.append(Published(message, 1000 * each.timestamp))
    return sorted(found, key=lambda each: each.at_us)


def age_s(results: Iterable[Published], part: float) -> float:
    """The age that ``part`` (0…1) of the results are below, in seconds."""
    return float(np.quantile([each.age_s for each in results], part))


def rate_per_s(results: Sequence[Published]) -> float:
    """Results per second between the first and the last."""
    return (len(results) - 1) / (results[-1].at_us - results[0].at_us) * 1e6
