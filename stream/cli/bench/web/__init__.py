"""What it costs to be looked at."""

from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.web import overhead


def measure(report: Report, scale: Scale) -> None:
    """All of it."""
    overhead.measure(report, scale)
