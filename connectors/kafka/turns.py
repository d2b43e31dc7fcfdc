"""Which partition is read next.

aiokafka hands out all that it has of one partition before it goes on with the next. Where more
comes than can be handled, that is a second's worth of one camera, and the others grow old.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

Found = Mapping[TopicPartition, list[ConsumerRecord[Any, Any]]]


async def take(
    consumer: Any,
    limit: int,
    timeout_ms: int,
    under_way: Mapping[TopicPartition, int],
) -> Found:
    """Up to ``limit`` records that an `AIOKafkaConsumer` has of partitions with the fewest
    ``under_way``; none after ``timeout_ms`` without one.

    So it is places at the device that partitions share, and not records: one whose records are too
    old by now comes to its newer ones without waiting for the others. What is returned was handed
    out in one call, so that nothing is held here while partitions move.
    """
    share = -(-limit // max(1, len(under_way)))
    levels = defaultdict(list)
    for partition in consumer.assignment():
        levels[under_way.get(partition, 0)].append(partition)
    found: Found = {}
    for _, level in sorted(levels.items()):
        found = found or await consumer.getmany(*level, max_records=share)
    return found or await consumer.getmany(timeout_ms=timeout_ms, max_records=share)
