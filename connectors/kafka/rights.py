"""What each role may do on Kafka, and needs to: one user for each, and no right besides.

Who may read a topic or group, or write to one, may describe it, and who may change a topic's
settings may see them. Whoever writes a topic looks at its settings: it has to take the largest
picture. Nobody needs a right on the cluster: who may write a topic may write it in order (KIP-679).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connectors.kafka.operations import Operation
from connectors.kafka.topics import TOPICS, name_of
from stream.config import Settings
from stream.observe import TOPICS as SHOWN

READING = (Operation.READ,)
LOOKING = (Operation.DESCRIBE,)
WRITING = (Operation.WRITE, Operation.DESCRIBE_CONFIGS)
MAKING = (Operation.CREATE, Operation.DESCRIBE, Operation.ALTER_CONFIGS)

Needed = Mapping[str, frozenset[Operation]]
"""What is needed on each, by our name of a topic or group."""


@dataclass(frozen=True)
class User:
    """Whose rights they are, and what for: our names of topics and groups."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    """Topics that it makes, and whose settings it changes."""
    measures: tuple[str, ...] = ()
    """Topics of which it only asks how long they are."""
    joins: tuple[str, ...] = ()
    """Groups that it is a member of."""
    follows: tuple[str, ...] = ()
    """Groups of which it only asks how far they are."""

    def beside(self, shadow: str) -> "User":
        """The same where the shadow is called so."""

        def named(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(each.replace("NAME", shadow) for each in names)

        return replace(
            self, reads=named(self.reads), writes=named(self.writes), joins=named(self.joins)
        )

    @property
    def topics(self) -> Needed:
        """What it needs on topics."""
        return _needed(
            (READING, self.reads),
            (WRITING, self.writes),
            (MAKING, self.makes),
            (LOOKING, self.measures),
        )

    @property
    def groups(self) -> Needed:
        """What it needs on groups."""
        return _needed((READING, self.joins), (LOOKING, self.follows))


def _needed(*needed: tuple[Iterable[Operation], Iterable[str]]) -> Needed:
    found: defaultdict[str, set[Operation]] = defaultdict(set)
    for operations, names in needed:
        for name in names:
            found[name] |= set(operations)
    return {name: frozenset(operations) for name, operations in found.items()}


USERS: Mapping[str, User] = {
    "ingest": User(
        reads=("cameras", "frames-archive"),
        writes=("frames", "frames-archive", "camera-status"),
        joins=("ingest.cameras",),
        follows=("segment.frames-archive",),
    ),
    "segment": User(
        reads=("cameras", "frames", "frames-archive", "masks"),
        writes=("masks", "dead-letters"),
        joins=("segment.frames", "segment.frames-archive"),
    ),
    "segment-archive": User(
        reads=("cameras", "frames-archive", "masks"),
        writes=("masks", "dead-letters"),
        joins=("segment.frames-archive",),
    ),
    "shadow": User(
        reads=("cameras", "frames", "masks.NAME"),
        writes=("masks.NAME",),
        joins=("shadow.NAME.frames",),
    ),
    "compare": User(
        reads=("cameras", "masks", "masks.NAME"),
        joins=("compare.NAME.masks", "compare.NAME.masks.NAME"),
    ),
    "watch": User(
        reads=("cameras", "masks", "watch-state"),
        writes=("tracks", "alerts", "watch-state", "dead-letters"),
        joins=("watch.masks",),
    ),
    "notify": User(
        reads=("cameras", "alerts", "deliveries"),
        writes=("deliveries", "dead-letters"),
        joins=("notify.alerts",),
    ),
    "web": User(reads=("cameras", *SHOWN)),
    "topics": User(makes=TOPICS),
    "cameras": User(reads=("cameras",), writes=("cameras", "camera-status")),
    "audit": User(reads=("masks", "cameras", "camera-status")),
    "replay": User(reads=("cameras", "dead-letters", "deliveries"), writes=("alerts",)),
    "keda": User(
        measures=("frames", "frames-archive", "masks", "alerts"),
        follows=("segment.frames", "segment.frames-archive", "watch.masks", "notify.alerts"),
    ),
}
"""The roles, and parts of ``segment``; then ``topics apply``; ``cameras apply``, ``add`` and
``remove``; ``audit``, ``rules test``, ``cameras list`` and ``status``; ``alerts replay``; and what
scales pods by their lag. The name of a shadow takes the place of NAME."""
OF_A_SHADOW = ("shadow", "compare")
"""Nobody needs their rights where none is set."""

EVIDENCE = ("frames", "frames-archive", "masks")
"""What ``notify`` reads besides where pictures of alerts are stored."""


def user_of(name: str, settings: Settings) -> User:
    """One of `USERS`, as ``settings`` have it work."""
    user, shadow = USERS[name], settings.shadow
    if name == "notify" and settings.evidence is not None:
        user = replace(user, reads=(*user.reads, *EVIDENCE))
    if shadow is None:
        return user
    if name == "topics":
        user = replace(user, makes=(*user.makes, shadow.masks))
    if name == "audit":
        user = replace(user, reads=(*user.reads, shadow.masks))
    return user.beside(shadow.name)


def acls(settings: Settings) -> Iterator[str]:
    """The arguments of ``kafka-acls`` that grant everybody's rights, a line for each call."""
    for name in USERS:
        if name in OF_A_SHADOW and settings.shadow is None:
            continue
        user = user_of(name, settings)
        granting = f"--add --allow-principal User:{name_of(name, settings.kafka)}"
        for kind, needed in (("topic", user.topics), ("group", user.groups)):
            for operations, names in _shared(needed):
                words = [f"--operation {each.word}" for each in operations]
                words += [f"--{kind} {name_of(each, settings.kafka)}" for each in names]
                yield " ".join([granting, *words])


def _shared(needed: Needed) -> Iterable[tuple[tuple[Operation, ...], list[str]]]:
    """The names that need the same operations."""
    found: defaultdict[tuple[Operation, ...], list[str]] = defaultdict(list)
    for name, operations in needed.items():
        found[tuple(sorted(operations))].append(name)
    return found.items()
