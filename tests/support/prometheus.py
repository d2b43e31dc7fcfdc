"""A real Prometheus on this machine, that scrapes what a test names."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.support.kafka import free_ports
from tests.support.required import require
from tests.support.waiting import wait_until

SCRAPE_S = 0.25


def require_prometheus() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without Prometheus and promtool."""
    found = all(shutil.which(name) for name in ("prometheus", "promtool"))
    require("prometheus", found, "prometheus is absent; tests/setup/prometheus.sh installs it")


@dataclass(frozen=True)
class Target:
    """What is scraped: ``host:port`` with ``/metrics``, and the labels that a site gives it."""

    address: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Prometheus:
    """One that runs. Times are seconds since the epoch."""

    url: str

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The vector that a query gives now."""
        found: list[dict[str, Any]] = self._get("query", query=expr)["result"]
        return found

    def over(self, expr: str, start: float, end: float, step_s: float) -> list[dict[str, Any]]:
        """The series that a query gives over time."""
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:.3f}"}
        found: list[dict[str, Any]] = self._get("query_range", query=expr, **times)["result"]
        return found

    def health(self) -> list[str]:
        """Of each rule: its name, and why it fails, where it does."""
        groups = self._get("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready"):
                return True
        except URLError:
            return False

    def _get(self, path: str, **words: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(words)}") as answer:
            return json.load(answer)["data"]


@dataclass(frozen=True)
class Site:
    """What a Prometheus is told: whom to scrape, which rules, and who gets its alarms."""

    targets: Sequence[Target]
    rules: Sequence[Path] = field(default=())
    alertmanager: str | None = None
    scrape_s: float = SCRAPE_S

    def document(self) -> dict[str, Any]:
        """As Prometheus reads it, with ``honor_labels`` as dashboards/README.md says."""
        pause = f"{self.scrape_s * 1000:.0f}ms"
        static = [{"targets": [each.address], "labels": {**each.labels}} for each in self.targets]
        told = [] if self.alertmanager is None else [{"targets": [self.alertmanager]}]
        return {
            "global": {"scrape_interval": pause, "evaluation_interval": pause,
                       "scrape_timeout": pause},
            "scrape_configs": [
                {"job_name": "maskstream", "honor_labels": True, "static_configs": static}
            ],
            "rule_files": [str(each) for each in self.rules],
            "alerting": {"alertmanagers": [{"static_configs": told}]},
        }  # fmt: skip


@contextmanager
def prometheus(folder: Path, site: Site) -> Iterator[Prometheus]:
    """One on loopback, gone afterwards with what it stored."""
    require_prometheus()
    (port,) = free_ports(1)
    running = Prometheus(f"http://127.0.0.1:{port}")
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text(json.dumps(site.document()))
    options = {
        "config.file": config, "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": f"127.0.0.1:{port}",
    }  # fmt: skip
    command = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_until(lambda: running.is_ready() or process.poll() is not None, "it is ready")
        assert process.poll() is None, log.read_text()
        yield running
    finally:
        process.kill()
        process.wait()
