"""Traces: where one frame spent its time, from its camera to the webhook that it led to.

A part of the frames is traced, chosen at `ingest` when the trace begins; whoever goes on with a
record goes on with its trace, which travels in the header ``traceparent`` (W3C Trace Context). The
spans that the work under way is for are known to it; a batch is for the spans of many frames. Where
there are none, all this costs a look at one variable.

Who makes spans of it is a connector: a `Tracer`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import NamedTuple, Protocol

from stream.ports import Record

HEADER = "traceparent"

Word = str | int | float
"""What is said of a span, under a name."""
_PLACE = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_SAMPLED = 1


class Place(NamedTuple):
    """A span within its trace: 32 and 16 hexadecimal digits in lower case, neither all 0."""

    trace_id: str
    span_id: str

    @property
    def header(self) -> bytes:
        """As it travels: the value of ``traceparent``."""
        return f"00-{self.trace_id}-{self.span_id}-01".encode()


class Span(Protocol):
    """A stretch of work in one trace. It is told once it has ended."""

    @property
    def place(self) -> Place:
        """Where others go on from it."""

    def tell(self, words: Mapping[str, Word]) -> None:
        """Say more of it."""

    def fail(self, why: str) -> None:
        """What it was for did not come about."""

    def end(self, at_us: int | None = None) -> None:
        """It ended at that time, in microseconds since the Unix epoch; None: now."""


class Tracer(Protocol):
    """Makes spans, and brings them to where they are looked at. It never waits and never fails."""

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
    """What begins in the body is traced."""
    token = _tracer.set(tracer)
    try:
        yield
    finally:
        _tracer.reset(token)


def first(name: str, at_us: int, **words: Word) -> Spans:
    """A new trace's first span, begun at ``at_us``; none where this one is not to be traced."""
    tracer = _tracer.get()
    span = None if tracer is None else tracer.first(name, at_us)
    return NONE if span is None else _told((span,), words)


def follow(headers: Mapping[str, bytes], name: str, **words: Word) -> Spans:
    """A span of the trace that a record is part of; none where it is part of none.

    A header that cannot be read is none: a trace is never worth a record.
    """
    header = headers.get(HEADER)
    if header is None or (tracer := _tracer.get()) is None:
        return NONE
    parent = read(header)
    return NONE if parent is None else _told((tracer.next(name, parent),), words)


def begin(name: str, **words: Word) -> Spans:
    """A span within each of those that the work under way is for. `end` must follow."""
    return _begun(name, None, words) if _current.get() else NONE


def end(spans: Spans, **words: Word) -> None:
    """They end now."""
    for span in _told(spans, words):
        span.end()


def was(name: str, from_us: int, to_us: int) -> None:
    """As `begin` and `end`, of what is over."""
    for span in _begun(name, from_us, {}):
        span.end(to_us)


def span(name: str, **words: Word) -> AbstractContextManager[None]:
    """As `begin`, for what the body does; what leaves it as an error is told."""
    return _spanning(begin(name, **words)) if _current.get() else nullcontext()


def within(spans: Spans) -> AbstractContextManager[None]:
    """The body is work for ``spans``, which it does not end."""
    return _within(spans) if spans else nullcontext()


def current() -> Spans:
    """The spans that the work under way is for."""
    return _current.get()


def stamped(record: Record, spans: Spans | None = None) -> Record:
    """The record as part of the trace of ``spans``; None: of the work under way."""
    found = _current.get() if spans is None else spans
    return carrying(record, found[0].place.header) if found else record


def carrying(record: Record, header: bytes | None) -> Record:
    """The record with this ``traceparent``; None: as it is."""
    return record if header is None else replace(record, headers={**record.headers, HEADER: header})


def header() -> str | None:
    """The ``traceparent`` of the work under way, for those that are asked over HTTP."""
    spans = _current.get()
    return spans[0].place.header.decode() if spans else None


def trace_id() -> str | None:
    """The trace of the work under way."""
    spans = _current.get()
    return spans[0].place.trace_id if spans else None


def exemplar(spans: Spans | None = None) -> dict[str, str] | None:
    """What an observation of a histogram is an example of: ``observe(value, exemplar())``."""
    found = _current.get() if spans is None else spans
    return {"trace_id": found[0].place.trace_id} if found else None


def read(header: bytes) -> Place | None:
    """What a ``traceparent`` says (https://www.w3.org/TR/trace-context/, 3.2), where its trace is
    one that is kept; None where it is not, and where it cannot be read.
    """
    found = _PLACE.fullmatch(header)
    if found is None or not int(found[3], 16) & _SAMPLED:
        return None
    return Place(found[1].decode(), found[2].decode())


def _begun(name: str, at_us: int | None, words: Mapping[str, Word]) -> Spans:
    tracer = _tracer.get()
    if tracer is None:
        return NONE
    return _told(tuple(tracer.next(name, each.place, at_us) for each in _current.get()), words)


def _told(spans: Spans, words: Mapping[str, Word]) -> Spans:
    if words:
        for each in spans:
            each.tell(words)
    return spans


@contextmanager
def _within(spans: Iterable[Span]) -> Iterator[None]:
    token = _current.set(tuple(spans))
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
