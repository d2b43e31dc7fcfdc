"""A collector of OpenTelemetry on this machine, as a thread: it takes OTLP over HTTP, or is ill."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.http_server import Quiet, answering


@dataclass(frozen=True)
class Seen:
    """A span as a collector sees it. Ids are in hexadecimal; a first span has no parent."""

    role: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    words: Mapping[str, Any]
    error: str
    began_ns: int
    ended_ns: int


@dataclass
class Collector:
    """What came."""

    url: str = ""
    status: int = 200
    spans: list[Seen] = field(default_factory=list)
    requests: int = 0
    may_answer: threading.Event = field(default_factory=threading.Event)

    def take(self, body: bytes) -> int:
        """The status to answer with."""
        self.requests += 1
        self.may_answer.wait()
        if self.status == 200:
            self.spans += _spans(body)
        return self.status

    def of(self, trace_id: str) -> list[Seen]:
        """The spans of a trace, in the order in which they began."""
        found = (each for each in self.spans if each.trace_id == trace_id)
        return sorted(found, key=lambda each: each.began_ns)

    def named(self, name: str) -> list[Seen]:
        """The spans of this name."""
        return [each for each in self.spans if each.name == name]


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector that answers at once."""
    found = Collector()
    found.may_answer.set()

    class Take(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/x-protobuf"
            self.send_response(found.take(body) if self.path == "/v1/traces" else 404)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with answering(Take) as port:
        found.url = f"http://127.0.0.1:{port}"
        try:
            yield found
        finally:
            found.may_answer.set()


def _spans(body: bytes) -> Iterator[Seen]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = _words(group.resource.attributes)
        assert about["service.namespace"] == "maskstream"
        for scope in group.scope_spans:
            for each in scope.spans:
                yield Seen(
                    role=about["service.name"],
                    name=each.name,
                    trace_id=each.trace_id.hex(),
                    span_id=each.span_id.hex(),
                    parent=each.parent_span_id.hex(),
                    words=_words(each.attributes),
                    error=each.status.message,
                    began_ns=each.start_time_unix_nano,
                    ended_ns=each.end_time_unix_nano,
                )


def _words(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
