"""What it costs to be looked at: metrics and log, the live page, the HTTP API."""

from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.web import api, overhead, page, page_kafka


def measure(report: Report, scale: Scale) -> None:
    """One after another."""
    overhead.measure(report, scale)
    page.measure(report, scale)
    if scale.kafka is not None:
        page_kafka.measure(report, scale, scale.kafka)
    api.measure(report, scale)
