"""A site on the cluster: the chart's objects there, and beside them the processes whose load they
scale on. Pods are kwok's and do nothing; one real ``ingest`` and one real ``segment`` do the work,
and Prometheus scrapes them under the names of the first pods.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from stream.cli.bench.sleeping import Sleep
from tests.support.clips import loop_clip
from tests.support.cluster.plane import Plane
from tests.support.cluster.release import NAME, Release, release
from tests.support.helm import CHART
from tests.support.prometheus import Site as Scraped
from tests.support.prometheus import Target, prometheus
from tests.support.roles import DATA, PARTITIONS, Deployment, Process, deployment

FPS = 5
SLEEP = Sleep(batch_size=1, seconds=0.1)
"""10 frames/s: what one segment is able to do, whatever machine this is."""
LONGEST_S = 3600
"""A camera plays for longer than all tests take."""
DOWN_S = 15
"""In place of the chart's 300 s and 120 s, so that a test sees pods go as well."""


@dataclass
class Site:
    """What runs. ``watching`` holds Prometheus, which a test may end."""

    release: Release
    deployed: Deployment
    ingest: Process
    watching: ExitStack
    values: dict[str, Any]
    clip: Path

    def offer(self, cameras: int, *more: dict[str, Any]) -> None:
        """Have so many live cameras of `FPS` each, and ``more`` of another kind."""
        live = [_camera(self.clip, each) for each in range(cameras)]
        self.deployed.configure(cameras=[*live, *more])

    def upgrade(self, **sections: Mapping[str, Any]) -> None:
        """Change sections of the values."""
        self.values |= sections
        self.release.install(self.values)


@contextmanager
def site(plane: Plane, kafka: str, folder: Path, namespace: str, **sections: Any) -> Iterator[Site]:
    """A site with one camera; ``sections`` are values of the chart."""
    clip = folder / "yard.mp4"
    loop_clip(DATA / "yard.mp4", clip, LONGEST_S)
    with ExitStack() as stack:
        config = {
            "cameras": [_camera(clip, 0)], "rules": [], "zones": [],
            "allowed": {"folder": str(folder)}, **sections.get("config", {}),
        }  # fmt: skip
        deployed = stack.enter_context(deployment(folder, kafka, **config))
        (ingest,) = deployed.start("ingest")
        segment = deployed.start_paced(SLEEP)
        watching = stack.enter_context(ExitStack())
        pods = {f"{NAME}-ingest-0": ingest, f"{NAME}-segment-0": segment}
        targets = [_target(process, namespace, pod) for pod, process in pods.items()]
        scraped = Scraped(targets, scrape_s=_scrape_s())
        running = watching.enter_context(prometheus(folder, scraped))
        installed = stack.enter_context(release(plane.api, namespace, folder))
        values = {**_values(kafka, deployed.prefix, running.url), **sections}
        installed.install(values)
        yield Site(installed, deployed, ingest, watching, values, clip)


def _values(kafka: str, prefix: str, url: str) -> dict[str, Any]:
    return {
        "kafka": {
            "brokers": [kafka], "prefix": prefix, "partitions": PARTITIONS, "replication": 1,
        },
        "model": {"artefact": {"path": "/models/yard"}},
        "web": {"token": {"secret": "page-token"}},
        "scaling": {
            "prometheus": {"url": url}, "scaleDown": {"stabilization": DOWN_S, "period": DOWN_S},
        },
    }  # fmt: skip


def _camera(clip: Path, number: int) -> dict[str, Any]:
    name = f"gate-{number}" if number else "yard"
    return {"id": name, "url": str(clip), "mode": "live", "fps": FPS}


def _target(process: Process, namespace: str, pod: str) -> Target:
    return Target(urlsplit(process.probes).netloc, {"namespace": namespace, "pod": pod})


def _scrape_s() -> float:
    """How often the chart has pods scraped."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    return float(values["monitoring"]["serviceMonitors"]["interval"].removesuffix("s"))
