"""Traces to a collector of OpenTelemetry, by OTLP over HTTP.

Spans wait in bounded memory and are sent by a thread of their own, so a collector that is slow or
away costs spans and nothing else.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk import _shared_internal as queueing
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from stream.ports import Clock
from stream.traces_spec import TracesSpec
from stream.tracing import Place, Tracer, Word

TRY_S = 5.0
"""How long a collector may take to accept what it is sent, tries again included."""
LAST_S = 2.0
"""How long the end of a process waits for its last spans to be sent."""
WORD_S = 0.5
"""And then for whoever sends them to say why not."""
_SHOWN_CHARS = 300
_REASONS = {
    "Transient error %s": slice(0, 1),
    "Failed to export %s batch code: %s, reason: %s": slice(1, 3),
}
"""How what the exporter says begins where it gives a reason, and which words of it are that."""

_log = logging.getLogger(__name__)


class OtelSpan:
    """A `stream.tracing.Span`."""

    def __init__(self, span: trace.Span, clock: Clock) -> None:
        context = span.get_span_context()
        self.place = Place(f"{context.trace_id:032x}", f"{context.span_id:016x}")
        self._span = span
        self._clock = clock

    def tell(self, words: Mapping[str, Word]) -> None:
        """Say more of it."""
        self._span.set_attributes(words)

    def fail(self, why: str) -> None:
        """It did not come to what it was for."""
        self._span.set_status(Status(StatusCode.ERROR, why))

    def end(self, at_us: int | None = None) -> None:
        """It ended then."""
        self._span.end(_ns(self._clock, at_us))


class OtelTracer:
    """A `stream.tracing.Tracer`. All times are those of one clock that never steps."""

    def __init__(self, tracer: trace.Tracer, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock

    def first(self, name: str, at_us: int) -> OtelSpan | None:
        """The first span of a new trace, where the sampler takes its id."""
        span = self._tracer.start_span(name, Context(), start_time=at_us * 1000)
        return OtelSpan(span, self._clock) if span.is_recording() else None

    def next(self, name: str, parent: Place, at_us: int | None = None) -> OtelSpan:
        """A span within ``parent``, wherever that was made."""
        ids = int(parent.trace_id, 16), int(parent.span_id, 16)
        place = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        context = trace.set_span_in_context(NonRecordingSpan(place), Context())
        span = self._tracer.start_span(name, context, start_time=_ns(self._clock, at_us))
        return OtelSpan(span, self._clock)


def _ns(clock: Clock, at_us: int | None) -> int:
    return (clock.now_us() if at_us is None else at_us) * 1000


@asynccontextmanager
async def open_tracer(spec: TracesSpec, role: str, clock: Clock) -> AsyncIterator[Tracer]:
    """What ``role`` is traced by; on leaving, the last spans have `LAST_S` to get away.

    How the collector wants to be greeted, and whose certificate it has, the exporter reads from its
    own standard variables of the environment (OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE).
    """
    url = f"{spec.endpoint.rstrip('/')}/v1/traces"
    exporter = _Telling(trace_exporter.OTLPSpanExporter(url, timeout=TRY_S), url)
    provider = TracerProvider(
        ParentBased(TraceIdRatioBased(spec.ratio)),
        Resource.create({SERVICE_NAMESPACE: "maskstream", SERVICE_NAME: role}),
        shutdown_on_exit=False,
    )
    with exporter.listening():
        provider.add_span_processor(BatchSpanProcessor(exporter))
        try:
            yield OtelTracer(provider.get_tracer("maskstream"), clock)
        finally:
            await asyncio.to_thread(_leave, provider, exporter)


def _leave(provider: TracerProvider, exporter: SpanExporter) -> None:
    # A daemon: who ends does not wait for a collector that never answers.
    leaving = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
    leaving.start()
    leaving.join(LAST_S)
    exporter.shutdown()
    leaving.join(WORD_S)


class _Telling(SpanExporter):
    """An exporter that says when sending begins to fail, and when it goes well again.

    The one within says so at every try, and its queue at every span that it drops: that is heard
    for the reason, and not passed on.
    """

    def __init__(self, inner: SpanExporter, url: str) -> None:
        self._inner = inner
        self._url = url
        self._why = ""
        self._lost = 0
        self._over = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is said about sending."""
        loggers = [logging.getLogger(each.__name__) for each in (trace_exporter, queueing)]
        for each in loggers:
            each.addFilter(self._hear)
        try:
            yield
        finally:
            for each in loggers:
                each.removeFilter(self._hear)

    def _hear(self, record: logging.LogRecord) -> bool:
        if record.exc_info:  # a fault of theirs: to be seen
            return True
        words = record.args if isinstance(record.args, tuple) else ()
        for beginning, reason in _REASONS.items():
            if record.msg.startswith(beginning):
                self._why = " ".join(map(str, words[reason]))
        return False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As the one within."""
        result = self._inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                _log.warning("traces cannot be sent to %s: %s", self._url, self._why[:_SHOWN_CHARS])
            self._lost += len(spans)
        elif self._lost:
            _log.warning("traces are sent again; at least %d spans were lost", self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """As the one within, once."""
        if not self._over:
            self._over = True
            self._inner.shutdown()
