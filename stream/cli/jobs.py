"""What a process of ``segment`` is there for: whose frames it looks at."""

from dataclasses import dataclass

from stream import segment
from stream.cli.arguments import Part


@dataclass(frozen=True)
class Job:
    """``name`` is what the process calls itself in logs and metrics, ``reads`` are its topics."""

    name: str = "segment"
    reads: tuple[str, ...] = (segment.LIVE, segment.ARCHIVE)

    @property
    def is_live(self) -> bool:
        """Whether it looks at live cameras, whose load it is counted on to take."""
        return segment.LIVE in self.reads


WHOLE = Job()
_JOBS = {
    Part.WHOLE: WHOLE,
    Part.LIVE: Job(reads=(segment.LIVE,)),
    # Under the name of the others it would look as if somebody looked at live cameras.
    Part.ARCHIVE: Job("segment-archive", (segment.ARCHIVE,)),
}


def job_of(part: Part) -> Job:
    """The job of a process that was told to do ``part``."""
    return _JOBS[part]
