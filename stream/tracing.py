"""Traces: where one frame spent its time, from its camera to the webhook that it led to.

A part of the frames is traced, chosen at ``ingest``, where a trace begins; whoever goes on with a
record goes on with its trace, which travels in the header ``traceparent`` (W3C Trace Context). The
work under way knows the spans that it is for: one as a rule, and those of several frames where they
share a batch. Where there are none, all this costs a look at one variable.

What becomes of spans is a connector's business: a `Tracer`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import NamedTuple, Protocol

from stream.ports import Record

HEADER = "traceparent"
Word = str | int | float
"""What is told of a span, under a name."""
_PLACE = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_SAMPLED = 1


class Place(NamedTuple):
    """A span in its trace: 32 and 16 hexadecimal digits in lower case, neither all 0."""

    trace_id: str
    span_id: str

    @property
    def header(self) -> bytes:
        """The value of ``traceparent`` with which others go on from there."""
        return f"00-{self.trace_id}-{self.span_id}-01".encode()


class Span(Protocol):
    """A stretch of work in one trace."""

    @property
    def place(self) -> Place:
        """Where others go on from it."""

    def tell(self, words: Mapping[str, Word]) -> None:
        """Say more of it."""

    def fail(self, why: str) -> None:
        """It did not come to what it was for."""

    def end(self, at_us: int | None = None) -> None:
        """It ended at that time, in microseconds since the Unix epoch; None: now."""


class Tracer(Protocol):
    """Makes spans and brings them to whoever looks at them. It never waits and never fails."""

    def first(self, name: str, at_us: int) -> Span | None:
        """The first span of a new trace, begun at ``at_us``; None where it is not to be traced."""

    def next(self, name: str, parent: Place, at_us: int | None = None) -> Span:
        """A span within ``parent``, begun at ``at_us``; None: now."""


Spans = tuple[Span, ...]
NONE: Spans = ()

_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
_current: ContextVar[Spans] = ContextVar("spans", default=NONE)


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    """What the body does, and the tasks that it starts, can be traced."""
    token = _tracer.set(tracer)
    try:
        yield
    finally:
        _tracer.reset(token)


def first(name: str, at_us: int) -> Spans:
    """The first span of a new trace, begun at ``at_us``; none where it is not to be traced."""
    tracer = _tracer.get()
    span = None if tracer is None else tracer.first(name, at_us)
    return NONE if span is None else (span,)


def follow(header: bytes | None, name: str) -> Spans:
    """A span of the trace that ``header`` names; none where it names none.

    A header that cannot be read names none: no record is lost for its trace.
    """
    if header is None or (tracer := _tracer.get()) is None:
        return NONE
    parent = read(header)
    return NONE if parent is None else (tracer.next(name, parent),)


def begin(name: str) -> Spans:
    """A span within each of those that the work under way is for; `end` must follow."""
    return _begun(name, None) if _current.get() else NONE


def end(spans: Spans) -> None:
    """They end now."""
    for each in spans:
        each.end()


def was(name: str, from_us: int, to_us: int) -> None:
    """As `begin` and `end`, of what is over already."""
    for each in _begun(name, from_us):
        each.end(to_us)


def span(name: str) -> AbstractContextManager[None]:
    """As `begin`, and `end` after the body, which is work for it."""
    return _spanning(begin(name)) if _current.get() else nullcontext()


def within(spans: Spans) -> AbstractContextManager[None]:
    """The body is work for ``spans``, which go on after it."""
    return _within(spans) if spans else nullcontext()


def current() -> Spans:
    """The spans that the work under way is for."""
    return _current.get()


def tell(**words: Word) -> None:
    """Say more of the work under way."""
    for each in _current.get():
        each.tell(words)


def fail(why: str) -> None:
    """The work under way did not come to what it was for."""
    for each in _current.get():
        each.fail(why)


def stamped(record: Record) -> Record:
    """The record as part of the trace of the work under way."""
    return carrying(record, header())


def carrying(record: Record, header: bytes | None) -> Record:
    """The record with this ``traceparent``; None: as it is."""
    return record if header is None else replace(record, headers={**record.headers, HEADER: header})


def carried(record: Record) -> bytes | None:
    """The ``traceparent`` of a record."""
    return record.headers.get(HEADER)


def header() -> bytes | None:
    """The ``traceparent`` of the work under way."""
    return header_of(_current.get())


def header_of(spans: Spans) -> bytes | None:
    """The ``traceparent`` with which others go on from ``spans``."""
    return spans[0].place.header if spans else None


def trace_id() -> str | None:
    """The trace of the work under way."""
    spans = _current.get()
    return spans[0].place.trace_id if spans else None


def exemplar() -> dict[str, str] | None:
    """What an observed value is an example of: ``histogram.observe(value, exemplar())``."""
    found = trace_id()
    return None if found is None else {"trace_id": found}


def read(header: bytes) -> Place | None:
    """The span that a ``traceparent`` names (https://www.w3.org/TR/trace-context/, 3.2).

    None where its trace is not kept, and where it cannot be read.
    """
    found = _PLACE.fullmatch(header)
    if found is None or not int(found[3], 16) & _SAMPLED:
        return None
    return Place(found[1].decode(), found[2].decode())


def _begun(name: str, at_us: int | None) -> Spans:
    tracer = _tracer.get()
    if tracer is None:
        return NONE
    return tuple([tracer.next(name, each.place, at_us) for each in _current.get()])


@contextmanager
def _within(spans: Spans) -> Iterator[None]:
    token = _current.set(spans)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def _spanning(spans: Spans) -> Iterator[None]:
    try:
        with _within(spans):
            yield
    except Exception as error:
        for each in spans:
            each.fail(f"{type(error).__name__}: {error}")
        raise
    finally:
        end(spans)
