"""How long a broker is asked to wait for records where there are none."""

from typing import Any

from aiokafka import AIOKafkaConsumer

BUSY_WAIT_MS, IDLE_WAIT_MS = 50, 500


def rest_while_idle(consumer: AIOKafkaConsumer) -> None:
    """Let ``consumer``, which has started, ask ten times less often while nothing comes.

    A broker answers as soon as it has a record of a partition that was asked for. aiokafka 0.14
    asks for those that it holds nothing of, and for no other before the answer is there: what it
    held at that time is fetched anew after the whole wait only, which is then the most that asking
    adds to the age of a frame. Where it holds nothing it asks for all, and a long wait costs nobody
    anything. There is no public place to say so.
    """
    fetcher: Any = consumer._fetcher
    actions = fetcher._get_actions_per_node

    def next_actions(assignment: Any) -> Any:
        fetcher._fetch_max_wait_ms = BUSY_WAIT_MS if fetcher._records else IDLE_WAIT_MS
        return actions(assignment)

    fetcher._get_actions_per_node = next_actions
