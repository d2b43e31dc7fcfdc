"""Real brokers on loopback: Apache Kafka in KRaft mode, one node or three.

``python -m tests.support.kafka [PORT]`` starts one for a developer.
"""

import asyncio
import logging
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.support.required import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
CLUSTER = "bWFza3N0cmVhbS10ZXN0cw"
READY_S = 90.0
DEFAULT_PORT = 9092


def jars() -> Path:
    """The folder that tests/setup/kafka.sh makes for the pom as it is now."""
    pom = (ROOT / "tests" / "pom.xml").read_bytes()
    return ROOT / ".cache" / "kafka" / sha256(pom).hexdigest()[:12]


def is_installed() -> bool:
    """Whether a broker can be started."""
    return shutil.which("java") is not None and (jars() / "kafka_2.13.done").exists()


def require_kafka() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without what a broker needs."""
    require("kafka", is_installed(), "no broker: tests/setup/kafka.sh needs Java and Maven")


@dataclass(frozen=True)
class Ports:
    """Where a broker listens on loopback."""

    near: int
    far: int
    """Who comes this way is sent to ``proxy`` from then on, where a test may put a bad network."""
    proxy: int
    controller: int


_QUICK = ("-Xmx512m", "-XX:TieredStopAtLevel=1")
"""A broker of a test lives for a minute, and starts sooner when it compiles little. In a long run
that would cost: a third of what a frame then takes."""
_STEADY = ("-Xmx1g",)


@dataclass(frozen=True)
class Extras:
    """What else is wanted: ports by protocol, settings of Kafka, words at the format, of Java."""

    ports: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    format_words: tuple[str, ...] = ()
    java: tuple[str, ...] = _QUICK


NO_EXTRAS = Extras()


class Node:
    """One broker, which is a controller as well. It keeps its ports and data when restarted."""

    def __init__(
        self, number: int, folder: Path, ports: Ports, controllers: list[int], extras: Extras
    ) -> None:
        self.number = number
        self.ports = ports
        self._folder = folder
        self._start = [*_JAVA, *extras.java]
        self._properties = folder / "server.properties"
        self.log = folder / "log.txt"
        self._popen: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        settings = _settings(number, folder, ports, controllers, extras)
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        self._properties.write_text("".join(lines))
        words = ["format", "-t", CLUSTER, *extras.format_words, "-c"]
        self._java("kafka.tools.StorageTool", *words).check_returncode()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.ports.near}"

    def start(self) -> None:
        """Start, or start again."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*self._start, "kafka.Kafka", str(self._properties)],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_ready(self) -> None:
        """Return once it answers; fail with its log when it never does."""
        try:
            wait_until(self._answers, f"broker {self.number} answers", READY_S, pause_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()[-3000:]}") from None

    def wait_ended(self) -> str:
        """Return what it told once it has ended by itself."""
        assert self._popen is not None
        popen = self._popen
        wait_until(lambda: popen.poll() is not None, f"broker {self.number} ends")
        return self.log.read_text()

    def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """SIGTERM: it hands its partitions over and leaves."""
        self.signal(signal.SIGTERM)
        self._wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)

    def _wait(self) -> None:
        if self._popen is not None:
            self._popen.wait()

    def _answers(self) -> bool:
        assert self._popen is not None
        assert self._popen.poll() is None, f"broker {self.number} ended"
        with ThreadPoolExecutor(1) as thread:  # whoever waits may be on an event loop already
            return thread.submit(lambda: asyncio.run(_brokers(self.bootstrap))).result() > 0

    def _java(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        with self.log.open("ab") as log:
            command = [*_JAVA, *_QUICK, *words, str(self._properties)]
            return subprocess.run(command, stdout=log, stderr=log, check=False)


@contextmanager
def cluster(
    count: int, port: int | None = None, extras: Extras = NO_EXTRAS
) -> Iterator[list[Node]]:
    """``count`` nodes that know each other; gone afterwards, with their data."""
    free = iter(free_ports(4 * count))
    ports = [Ports(*each) for each in zip(free, free, free, free, strict=True)]
    if port is not None:
        ports[0] = replace(ports[0], near=port)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="maskstream-kafka-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        nodes = [
            Node(number, folder / str(number), own, [each.controller for each in ports], extras)
            for number, own in enumerate(ports, 1)
        ]
        for node in nodes:
            stack.callback(node.kill)
            stack.callback(node.signal, signal.SIGCONT)
            node.start()
        for node in nodes:
            node.wait_ready()
        yield nodes


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


_JAVA = [
    "java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars()}/*",
]  # fmt: skip


def _settings(
    number: int, folder: Path, ports: Ports, controllers: list[int], extras: Extras
) -> Mapping[str, object]:
    here = {"PLAINTEXT": ports.near, "FAR": ports.far, **extras.ports}
    told = {**here, "FAR": ports.proxy}
    protocols = {**{name: name for name in here}, "FAR": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
    copies = min(3, len(controllers))
    voters = ",".join(f"{at + 1}@127.0.0.1:{each}" for at, each in enumerate(controllers))
    return {
        "process.roles": "broker,controller",
        "node.id": number,
        "controller.quorum.voters": voters,
        "listeners": _addresses({**here, "CONTROLLER": ports.controller}),
        "advertised.listeners": _addresses(told),
        "listener.security.protocol.map": ",".join(f"{a}:{b}" for a, b in protocols.items()),
        "controller.listener.names": "CONTROLLER",
        "log.dirs": folder / "data",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "log.retention.check.interval.ms": 1000,
        "log.segment.delete.delay.ms": 1000,
        "message.max.bytes": 16 * 1024 * 1024,
        "offsets.topic.num.partitions": 8,
        "offsets.topic.replication.factor": copies,
        "default.replication.factor": copies,
        "min.insync.replicas": max(1, copies - 1),
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": max(1, copies - 1),
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": 1,
        "num.network.threads": 2,
        "num.io.threads": 4,
        **extras.settings,
    }


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


@dataclass(frozen=True)
class Copies:
    """Who has a partition: numbers of nodes. No ``leader`` is -1."""

    leader: int
    in_step: frozenset[int]


async def copies(bootstrap: str, topic: str, partition: int) -> Copies:
    """As the brokers see it now; ``topic`` is Kafka's own name."""
    async with _admin(bootstrap) as client:
        (found,) = await client.describe_topics([topic])
    (own,) = (each for each in found["partitions"] if each["partition"] == partition)
    return Copies(own["leader"], frozenset(own["isr"]))


async def coordinator(bootstrap: str, group: str) -> int:
    """The number of the node that a group's members talk to."""
    async with _admin(bootstrap) as client:
        return int(await client.find_coordinator(group))


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _brokers(bootstrap: str) -> int:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.start()
        return len((await client.describe_cluster())["brokers"])
    except KafkaError:
        return 0
    finally:
        await client.close()


def main() -> None:
    """Run one broker until Ctrl-C, or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not is_installed():
        sys.exit("no broker: tests/setup/kafka.sh makes .cache/kafka; it needs Java and Maven")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # until it is up nobody answers
    port = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PORT
    with cluster(1, port, Extras(java=_STEADY)) as (node,):
        print(f"kafka://{node.bootstrap}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping")


if __name__ == "__main__":
    main()
