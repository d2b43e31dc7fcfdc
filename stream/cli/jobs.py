"""What a process of ``segment`` is there for: whose frames it looks at, and where its masks go."""

from dataclasses import dataclass

from stream import segment
from stream.cli.arguments import Part
from stream.cli.kafka_only import shadow_of
from stream.config import Settings


@dataclass(frozen=True)
class Job:
    """``name`` is what the process calls itself in logs and metrics, ``group`` stands in the names
    of its consumer groups, ``reads`` are its topics.
    """

    name: str = "segment"
    group: str = "segment"
    reads: tuple[str, ...] = (segment.LIVE, segment.ARCHIVE)
    outlet: segment.Outlet = segment.FIRST

    @property
    def is_live(self) -> bool:
        """Whether it looks at live cameras, whose load it is counted on to take."""
        return segment.LIVE in self.reads

    @property
    def is_shadow(self) -> bool:
        """Whether it runs the second network."""
        return self.name == "shadow"

    def own(self, settings: Settings) -> Settings:
        """The settings with the network that it runs as their model."""
        if not self.is_shadow:
            return settings
        return settings.model_copy(update={"model": settings.shadow})


WHOLE = Job()


def job_of(part: Part, settings: Settings) -> Job:
    """The job of a process that was told to do ``part``.

    A shadow looks at live cameras alone: those are what a model is judged by, and a file waits for
    nobody but the first model, so that one that is slower would find frames of it gone.
    Raises `ConfigError` for a shadow where none is set.
    """
    match part:
        case Part.WHOLE:
            return WHOLE
        case Part.LIVE:
            return Job(reads=(segment.LIVE,))
        case Part.ARCHIVE:
            return Job(part.role, reads=(segment.ARCHIVE,))
        case Part.SHADOW:
            shadow = shadow_of(settings)
            outlet = segment.Outlet(shadow.masks, letters=None)
            return Job(part.role, f"shadow.{shadow.name}", (segment.LIVE,), outlet)
