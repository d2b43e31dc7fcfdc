"""How far a member has come in each partition that it has."""

from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Position:
    """Where a delivery lies, and in which tenure of its partition it was handed out."""

    partition: TopicPartition
    offset: int
    tenure: int


@dataclass(slots=True)
class Tenure:
    """One uninterrupted time in which this member has a partition. Offsets are the next ones."""

    number: int
    """The turn that it began with."""
    received: int | None = None
    finished: int | None = None
    """What the owner asked to commit; a rebalance may refuse it for a moment."""
    committed: int | None = None

    @property
    def has_begun(self) -> bool:
        """Whether anything of it was handed out."""
        return self.received is not None

    @property
    def is_idle(self) -> bool:
        """Whether all that was handed out is committed."""
        return self.received == self.committed

    @property
    def is_behind(self) -> bool:
        """Whether something finished is not yet committed."""
        return self.finished is not None and self.finished != self.committed
