"""deploy/compose runs: its services as containers without an engine, its own files as they are.

Kafka is set up by the class that its image sets it up with, from the environment of the compose
file. GStreamer stands for the RTSP server, of which there is no program here, and nothing for
Grafana. Which names lead where, and to how many, only DNS says, as it does in Docker.
"""

import json
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.support.alertmanager import NAME as ALERTMANAGER
from tests.support.alertmanager import require_alertmanager
from tests.support.bridge import require_bridge
from tests.support.compose import FOLDER, services
from tests.support.containers import Container, Containers, containers
from tests.support.kafka import jars, require_kafka
from tests.support.prometheus import Prometheus, require_prometheus
from tests.support.roles import DATA
from tests.support.rtsp import RtspServer, pack, require_rtsp
from tests.support.sandbox import Mount, require_sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.long]

KAFKA = """
set -e
mkdir /tmp/defaults /tmp/mounted
for file in server.properties log4j2.yaml tools-log4j2.yaml; do : >/tmp/defaults/$file; done
java="java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -XX:TieredStopAtLevel=1 -cp /opt/libs/*"
$java kafka.docker.KafkaDockerWrapper setup --default-configs-dir /tmp/defaults \
    --mounted-configs-dir /tmp/mounted --final-configs-dir /opt/kafka/config
exec $java $KAFKA_HEAP_OPTS kafka.Kafka /opt/kafka/config/server.properties
"""
"""What the image apache/kafka does when it starts: its settings are made of its environment."""
ROLES = ("ingest", "segment", "segment", "watch", "notify", "web")
APPLY_S = 60.0
HEALTHY_S = 120.0
SCRAPED_S = 120.0


@dataclass
class Stack:
    """What runs."""

    containers: Containers
    secrets: Path
    receiver: Container
    roles: list[Container]

    def get(self, service: str, port: int, path: str, **headers: str) -> bytes:
        """What the first container of a service answers to who comes by its published port."""
        (address, *_) = self.containers.bridge.addresses[service]
        headers = {"Host": f"127.0.0.1:{port}", **headers}
        request = Request(f"http://{address}:{port}{path}", headers=headers)

        def ask() -> bytes:
            with urlopen(request) as answer:
                return bytes(answer.read())

        return self.containers.bridge.call(ask)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The vector that Prometheus gives now."""
        return self.containers.bridge.call(partial(self._prometheus.query, expr))

    def failing_rules(self) -> list[str]:
        return self.containers.bridge.call(self._prometheus.health)

    @property
    def _prometheus(self) -> Prometheus:
        (address,) = self.containers.bridge.addresses["prometheus"]
        return Prometheus(f"http://{address}:9090")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All that has no profile, and two of `segment`."""
    require_sandbox()
    require_bridge()
    require_kafka()
    require_rtsp()
    require_prometheus()
    require_alertmanager()
    folder = tmp_path_factory.mktemp("stack")
    folder.chmod(0o755)
    subprocess.run([shutil.copy(FOLDER / "secrets.sh", folder)], capture_output=True, check=True)
    with containers(folder, folder / "secrets") as running:
        camera = _camera(running, folder)
        try:
            yield _up(running, folder / "secrets")
        finally:
            camera.kill()


def _camera(running: Containers, folder: Path) -> RtspServer:
    within = running.bridge.join("rtsp").within
    camera = RtspServer(8554, "0.0.0.0", within)
    camera.add("/yard", file=pack(DATA / "yard.mp4", folder / "yard.packets"))
    return camera


def _up(running: Containers, secrets: Path) -> Stack:
    libraries = [Mount(each, f"/opt/libs/{each.name}", True) for each in jars().glob("*.jar")]
    kafka = running.start(services()["kafka"], ["sh", "-fc", KAFKA], libraries)
    receiver = running.start(services()["receiver"])
    for name, program in {"prometheus": "prometheus", "alertmanager": ALERTMANAGER}.items():
        running.start(services()[name], [program, *services()[name].command])
    wait_until(partial(_listens, running, kafka), "Kafka listens", APPLY_S)
    for name in ("apply-topics", "apply-cameras"):
        assert running.start(services()[name]).ended(APPLY_S) == 0
    return Stack(running, secrets, receiver, [running.start(services()[name]) for name in ROLES])


def _listens(running: Containers, kafka: Container) -> bool:
    """What `nc -z` asks, which is not on this machine."""
    assert kafka.boxed.code is None, "Kafka ended"
    (address,) = running.bridge.addresses["kafka"]

    def connect() -> bool:
        with socket.socket() as trying:
            return trying.connect_ex((address, 9092)) == 0

    return running.bridge.call(connect)


def test_what_is_ours_gets_healthy_as_its_health_check_says(stack: Stack) -> None:
    for each in (stack.receiver, *stack.roles):
        is_healthy = partial(stack.containers.is_healthy, each)
        wait_until(is_healthy, f"{each.service.name} is healthy", HEALTHY_S, pause_s=1.0)


def test_the_receiver_is_told_of_alerts_directly_and_by_alertmanager(stack: Stack) -> None:
    def told() -> bool:
        lines = stack.receiver.text().splitlines()
        opened = {line.rpartition(" ")[2] for line in lines if line.startswith("alert.opened")}
        grouped = {line.rpartition(" ")[2] for line in lines if line.startswith("alertmanager.fi")}
        return bool(opened & grouped)

    wait_until(told, "the receiver is told of one alert in both ways")


def test_the_page_knows_the_camera_and_asks_for_its_token(stack: Stack) -> None:
    token = (stack.secrets / "page").read_text().strip()
    with pytest.raises(URLError, match="401"):
        stack.get("web", 8080, "/v1/cameras")
    answer = stack.get("web", 8080, "/v1/cameras", Authorization=f"Bearer {token}")
    (camera,) = json.loads(answer)["cameras"]
    assert (camera["camera"], camera["state"]) == ("yard", "live")


def test_prometheus_finds_every_container_and_computes_every_rule(stack: Stack) -> None:
    def is_up() -> bool:
        found = stack.query('up{job="maskstream"} == 1')
        return Counter(each["metric"]["role"] for each in found) == Counter(ROLES)

    wait_until(is_up, "all roles are scraped, both of segment as well", SCRAPED_S)
    labels = [each["metric"] for each in stack.query("up")]
    assert len({each["pod"] for each in labels}) == len(ROLES)
    assert {each["namespace"] for each in labels} == {"compose"}
    counted = partial(stack.query, "namespace_role:maskstream_processes:count")
    wait_until(lambda: len(counted()) == len(set(ROLES)), "rules are computed", SCRAPED_S)
    assert stack.failing_rules() == []


def test_each_role_drains_within_the_time_that_it_has_and_then_all_ends(stack: Stack) -> None:
    assert stack.containers.stop(*stack.roles) == [0] * len(ROLES)
    others = [each for each in stack.containers.started if each.boxed.code is None]
    codes = stack.containers.stop(*others)
    names = [each.service.name for each in others]
    terminated = {"kafka": 128 + SIGTERM}  # as Java says it
    assert dict(zip(names, codes, strict=True)) == {name: terminated.get(name, 0) for name in names}
