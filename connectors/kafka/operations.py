"""Operations on topics and groups, which brokers grant or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Operation(IntEnum):
    """Kafka's, by the numbers of its protocol."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11

    @property
    def word(self) -> str:
        """As ``kafka-acls`` takes it: ``DescribeConfigs``."""
        return "".join(map(str.capitalize, self.name.split("_")))


@dataclass(frozen=True)
class Granted:
    """The operations that a broker grants us, as the bits of a number."""

    bits: int

    def missing(self, needed: Iterable[Operation]) -> list[Operation]:
        """Those of ``needed`` that it does not; none where it does not know."""
        if self.bits == UNKNOWN:
            return []
        return sorted(each for each in needed if not self.bits >> each & 1)


UNKNOWN = -(1 << 31)
"""In place of the bits where a broker does not know."""
EVERYTHING = Granted(UNKNOWN)
