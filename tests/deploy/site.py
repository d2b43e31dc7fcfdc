"""A release of the chart with live cameras on the network, and what its pods did to their masks."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.films import Film, write_film
from tests.support.helm import rendered
from tests.support.pods import Exit, Pod
from tests.support.roles import DATA, PARTITIONS, Deployment, Seen
from tests.support.rtsp import pack, rtsp_server
from tests.support.statefulsets import Release, release
from tests.support.volumes import Manifest, Objects
from tests.support.waiting import wait_until

CAMERAS, FPS = 6, 3
PAUSE_S = 5.0
"""The most that the masks of a camera may pause when a pod goes as it should."""
TOKEN = "a-token-of-the-page-for-tests"
SMALL = {"precision": "f32", "backend": "openvino", "image_size": 128}
"""So small that the host's cores have room for all pods."""


@dataclass
class Site:
    """What is installed, and the topics it works on. ``models`` stands for the claim of that name,
    in which artefacts are.
    """

    values: dict[str, Any]
    release: Release
    deployed: Deployment
    models: Path

    def begin(self) -> None:
        """Begin everything."""
        self.release.install(self._manifests())

    def install(self) -> None:
        """Begin everything, and wait until each camera has results."""
        self.begin()
        self.wait_results()

    def upgrade(self, **values: Any) -> None:
        """Change values, and roll what has changed."""
        self.values |= values
        self.release.upgrade(self._manifests())

    def _manifests(self) -> Sequence[Manifest]:
        return rendered(*(f"{key}={json.dumps(value)}" for key, value in self.values.items()))

    def wait_results(self) -> None:
        """A new result of every camera."""
        there = self._results()

        def are_new() -> bool:
            now = self._results()
            return len(now) == CAMERAS and all(now[each] > there.get(each, 0) for each in now)

        wait_until(are_new, "each camera has a new result", 90.0, pause_s=0.3)

    def _results(self) -> Mapping[str, int]:
        written = self.deployed.written_ms("masks", "result")
        return {camera: len(ms) for camera, ms in written.items()}

    def longest_pause_s(self, since_ms: int) -> float:
        """The longest time between two results of a camera, since then."""
        written = self.deployed.written_ms("masks", "result").values()
        return max(
            (later - earlier) / 1e3
            for ms in written
            for earlier, later in pairwise(ms)
            if later >= since_ms
        )

    def end(self) -> Seen:
        """Let ingest go, and the others once all that it told is answered: nothing is missing."""
        self.release["ingest"].scale(0)
        seen = self.deployed.wait_closed()
        self.release.uninstall()
        gaps = sum((each.gaps for each in seen.audit.epochs), Counter())
        print(f"results {seen.results.total()}, gaps {dict(gaps)}, twice {seen.duplicates}")
        for pod in self.release.pods:
            print(f"{pod.name}: ready after {pod.ready_after_s():.1f} s, then {pod.exits}")
        assert seen.audit.missing == 0
        assert all(each.complete for each in seen.audit.epochs)
        return seen

    def unclean(self) -> list[tuple[str, Exit]]:
        """How containers ended that did not go by themselves, soon enough, when asked to."""
        return [
            (pod.name, end)
            for pod in self.release.pods
            for end in pod.exits
            if end.code or end.was_killed or end.why != "deleted"
        ]


@contextmanager
def site(folder: Path, kafka: str, **values: Any) -> Iterator[Site]:
    """A release that is not yet installed; ``values`` are its own."""
    deployed = Deployment(folder, kafka, rules=[], zones=[], cameras=[])
    with rtsp_server() as server:
        film = pack(write_film(folder / "film.mp4", Film()), folder / "packets")
        cameras = [
            {"id": f"gate-{n}", "url": server.add(f"/{n}", file=film), "mode": "live", "fps": FPS}
            for n in range(CAMERAS)
        ]
        models = folder / "models"
        shutil.copytree(DATA / "yard-seg", models / "yard")
        objects = Objects(claims={"models": models}, secrets={"page": {"token": TOKEN}})
        with release(folder / "pods", objects) as installed:
            yield Site(_values(deployed, kafka, cameras) | values, installed, deployed, models)


def _values(deployed: Deployment, kafka: str, cameras: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kafka": {
            "brokers": [kafka], "prefix": deployed.prefix, "partitions": PARTITIONS,
            "replication": 1,
        },
        "model": {"artefact": artefact("yard"), "settings": SMALL},
        "cameras": cameras,
        "scaling": {"enabled": False},
        "web": {"enabled": False},
    }  # fmt: skip


def artefact(path: str) -> dict[str, Any]:
    """Where a model is: in the claim."""
    return {"pvc": {"claimName": "models", "path": path}}


def since_ms(pods: Iterable[Pod], what: str) -> int:
    """When something happened to the first of some pods."""
    return min(pod.at(what).at_ms for pod in pods)


def fewest_ready(pods: Iterable[Pod], since_s: float) -> int:
    """How many of the pods of a StatefulSet were ready when the fewest were, from then on."""
    changes: list[tuple[float, int]] = []
    for pod in pods:
        is_ready = False
        for event in pod.events:
            if (now := event.what == "ready") != is_ready:
                is_ready = now
                changes.append((event.at_s, 1 if now else -1))
    counts = [(at_s, sum(by for when, by in changes if when <= at_s)) for at_s, _ in changes]
    last_before = [count for at_s, count in sorted(counts) if at_s < since_s][-1:]
    return min(last_before + [count for at_s, count in counts if at_s >= since_s])
