"""Spans that are kept where they are made, and what metrics name of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from stream.tracing import Place, Word

Examples = dict[tuple[str, ...], set[str]]


@dataclass(eq=False)
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


def examples(registry: CollectorRegistry) -> Examples:
    """The traces that are examples of each histogram, by its name and its labels' values."""
    found: Examples = {}
    for family in registry.collect():
        for each in family.samples:
            if each.exemplar is not None:
                labels = (value for name, value in each.labels.items() if name != "le")
                place = each.name.removeprefix("maskstream_").removesuffix("_bucket"), *labels
                found.setdefault(place, set()).add(each.exemplar.labels["trace_id"])
    return found
