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
    due: int | None = None
    """What the group needs first, where that is known."""
    seen: set[str] | None = None
    """Since records that were due turned out to be deleted: the keys that came after them."""

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

    def receive(self, offset: int, key: str) -> bool:
        """Go on to the record at ``offset``; says whether earlier ones of its key may be lost.

        The topics that are read hold their records without a hole, but for what was deleted as
        their retention was over.
        """
        due = self.received if self.has_begun else self.due
        if due is not None and offset > due:
            self.seen = set()
        if not self.has_begun:
            self.committed = offset  # that is where a new tenure begins
        self.received = offset + 1
        if self.seen is None or key in self.seen:
            return False
        self.seen.add(key)
        return True
