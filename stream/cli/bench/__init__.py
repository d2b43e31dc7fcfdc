"""``maskstream bench``: figures that others can check.

What is compared runs in one session, interleaved, each contestant in a process of its own, so that
neither a warm machine nor a busy one favours either. A ratio is ours over the other, taken round by
round; the median and the spread over the rounds are shown.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from stream.cli.bench.machine import machine_lines
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.errors import ConfigError

Group = Callable[[Report, Scale], None]
Ask = Callable[[Scale], str | None]

ON_REQUEST = frozenset({"gpu"})
"""Groups that run only where they are named: they take long, and prove nothing without a card."""


def _groups() -> dict[str, Group]:
    from stream.cli.bench import (
        alerts,
        gpu,
        ingest,
        kafka,
        masks,
        memory,
        registry,
        rules,
        scale_out,
        speed,
        transport,
        web,
    )

    return {
        "masks": masks.measure,
        "speed": speed.measure,
        "memory": memory.measure,
        "rules": rules.measure,
        "web": web.measure,
        "ingest": _on_cameras(ingest.measure),
        "kafka": _on_a_broker(kafka.measure),
        "transport": _on_a_broker(transport.measure),
        "scale-out": _on_a_broker(scale_out.measure),
        "registry": _on_a_broker(registry.measure),
        "alerts": _on_a_broker(alerts.measure),
        "gpu": gpu.measure,
    }


def _at(address: Ask, missing: str, measure: Callable[[Report, Scale, str], None]) -> Group:
    """A group that needs something that runs already; without an address it is left out."""

    def group(report: Report, scale: Scale) -> None:
        if (found := address(scale)) is None:
            report.say(f"  left out: {missing}")
        else:
            measure(report, scale, found)

    return group


_on_a_broker = partial(
    _at,
    lambda scale: scale.kafka,
    "no broker; make kafka starts one, and --kafka HOST:PORT names it",
)
_on_cameras = partial(
    _at,
    lambda scale: scale.rtsp,
    "no cameras; make cameras plays some, and --rtsp HOST:PORT names them",
)


def run_groups(group: str | None, json: Path | None, plots: Path | None, scale: Scale) -> None:
    """Measure one group, or all; print tables, write ``json`` and the plots."""
    groups = _groups()
    if group is not None and group not in groups:
        raise ConfigError(f"group: given {group}; allowed: {', '.join(groups)}")
    report = Report(Console(), plots)
    for line in machine_lines():
        report.say(line)
    for name in [each for each in groups if each not in ON_REQUEST] if group is None else [group]:
        report.say(f"\n{name}")
        groups[name](report, scale)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_bytes(msgspec.json.format(msgspec.json.encode(report.figures), indent=2) + b"\n")
