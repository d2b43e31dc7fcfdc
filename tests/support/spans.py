"""Spans that are kept where they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.tracing import Place, Word


@dataclass
class Told:
    """A span that remembers what it was told."""

    name: str
    parent: Place | None
    place: Place
    words: dict[str, Word] = field(default_factory=dict)
    failed: str = ""
    spans_us: tuple[int | None, int | None] | None = None
    began_us: int | None = None

    def tell(self, words: Mapping[str, Word]) -> None:
        self.words |= words

    def fail(self, why: str) -> None:
        self.failed = why

    def end(self, at_us: int | None = None) -> None:
        assert self.spans_us is None, "a span ends once"
        self.spans_us = self.began_us, at_us


class Kept:
    """A tracer that keeps every trace, in order."""

    def __init__(self) -> None:
        self.spans: list[Told] = []

    def first(self, name: str, at_us: int) -> Told:
        return self._kept(name, None, f"{len(self.spans) + 1:032x}", at_us)

    def next(self, name: str, parent: Place, at_us: int | None = None) -> Told:
        return self._kept(name, parent, parent.trace_id, at_us)

    def _kept(self, name: str, parent: Place | None, trace_id: str, at_us: int | None) -> Told:
        place = Place(trace_id, f"{len(self.spans) + 1:016x}")
        self.spans.append(Told(name, parent, place, began_us=at_us))
        return self.spans[-1]
