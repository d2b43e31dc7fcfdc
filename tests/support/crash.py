"""A death at the worst moment."""

from collections.abc import Callable

from stream.ports import Outbox, Record


class Crash(Exception):  # noqa: N818 - it stands for a SIGKILL
    pass


class CrashingOutbox:
    """Dies where a delivery is about to be recorded."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        if b'"state":"delivered"' in bytes(record.value):
            raise Crash
        await self.outbox.send(topic, record, acknowledged)

    async def flush(self) -> None:
        await self.outbox.flush()
