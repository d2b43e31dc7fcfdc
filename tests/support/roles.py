"""Roles as real processes on a real broker, with the demo's own model and film."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import msgspec
from aiokafka import TopicPartition

from connectors import open_transport
from connectors.kafka.admin import open_admin
from connectors.kafka.client import client_options
from connectors.kafka.reading import Reader, open_reader, whole
from connectors.kafka.records import record_of
from connectors.kafka.topics import name_of
from stream import codec
from stream.audit import Audit
from stream.cli.bench.sleeping import Sleep
from stream.cli.bench.stand_ins import StandIns
from stream.config import Settings, load
from stream.errors import RecordError
from stream.ports import Record
from stream.types import Alert, MaskMessage, Result
from stream.watching import replay
from tests.support.receiver import SECRET, Receiver
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
DATA = ROOT / "connectors" / "demo" / "data"
PARTITIONS = 8
MODEL = {
    "weights": str(DATA / "yard-seg"), "backend": "openvino", "precision": "f32",
    "image_size": 416, "confidence": 0.4,
}  # fmt: skip
STOP_S = 40.0
_PROBES = re.compile(r"probes on (http://\S+)")


@dataclass
class Process:
    """One role. Its log is shown when it fails."""

    role: str
    log: Path
    popen: subprocess.Popen[bytes]

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.popen.terminate()
        return self.popen.wait(STOP_S)

    def text(self) -> str:
        return self.log.read_text()

    def said(self) -> list[dict[str, Any]]:
        """Its log, line by line as far as it is written."""
        lines = self.text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def events(self, **wanted: object) -> list[str]:
        """What it said, of a worker or a camera where one is wanted."""
        said = [each for each in self.said() if wanted.items() <= each.items()]
        return [each["event"] for each in said]

    @property
    def probes(self) -> str:
        """Where its probes answer."""
        (url,) = (found[1] for each in self.events() if (found := _PROBES.search(each)))
        return str(url)

    def get(self, path: str) -> str:
        """What its probes' server answers; raises `HTTPError` for anything but 200."""
        with urlopen(self.probes + path) as answer:
            return str(answer.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric, written as in `stream.metrics`; 0 before it has one."""
        inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
        line = rf"^maskstream_{name}{{{re.escape(inner)}}} (\S+)$"
        found = re.search(line, self.get("/metrics"), re.MULTILINE)
        return 0.0 if found is None else float(found[1])

    def resident_mb(self) -> float:
        """Its memory that is not swapped out."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        (kibibytes,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        return int(kibibytes) / 1024

    def answers(self, path: str) -> bool:
        """Whether a probe says ok."""
        try:
            return self.get(path) == "ok\n"
        except HTTPError:
            return False


@dataclass
class Seen:
    """What ``masks`` and ``alerts`` hold."""

    audit: Audit
    results: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    alerts: list[Alert] = field(default_factory=list)
    expected: list[Alert] = field(default_factory=list)
    """What the rules make of these masks, replayed."""

    @property
    def is_closed(self) -> bool:
        return bool(self.audit.epochs) and all(each.closed for each in self.audit.epochs)


class Deployment:
    """A configuration, and the processes that run it.

    Tests look into topics at ``bootstrap``, whatever way the processes' own ``transport`` takes.
    """

    def __init__(self, folder: Path, bootstrap: str, replication: int = 1, **more: Any) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.prefix = f"{uuid4().hex[:8]}."
        self._looks_at = f"kafka://{bootstrap}"
        self.processes: list[Process] = []
        self.own: Mapping[str, Path] = {}
        """The configurations of roles, and of other users, that have one of their own."""
        self.env: Mapping[str, str] = {}
        """What else is in the environment of the processes that start from now on."""
        self.ops: Receiver | None = None
        """Who its alerts are delivered to."""
        self._document = _document(bootstrap, self.prefix, replication)
        kafka = {**self._document["kafka"], **more.pop("kafka", {})}
        self._write(**more, kafka=kafka)

    def configure(self, **sections: Any) -> None:
        """Change sections of the configuration, for the processes that start from now on.

        Cameras, and the rules and zones of ``watch``, change for those that run as well.
        """
        self._write(**sections)
        if "cameras" in sections:
            self.command("cameras", "apply")

    def _write(self, **sections: Any) -> None:
        self._document |= sections
        self.config.write_text(json.dumps(self._document))

    def tell(self, ops: Receiver) -> None:
        """Deliver every alert to ``ops``, with the processes that start from now on."""
        self.ops = ops
        secret = self.folder / "secret"
        secret.write_text(SECRET)
        endpoint = {
            "id": "ops", "url": ops.url, "secret": {"file": str(secret)}, "allow_private": True,
        }  # fmt: skip
        rules = [{**rule, "notify": ["ops"]} for rule in self._document["rules"]]
        self.configure(endpoints=[endpoint], rules=rules)

    def command(self, *words: str, more: Sequence[str] = ()) -> str:
        """Run a command to its end, ``more`` after the configuration; returns what it printed."""
        done = self.tried(*words, more=more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tried(
        self, *words: str, more: Sequence[str] = (), given: str = "", user: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail, with ``given`` as its stdin, as a ``user`` with a
        configuration of its own.
        """
        return subprocess.run(
            [*_MASKSTREAM, *words, str(self.own.get(user, self.config)), *more],
            check=False, cwd=ROOT, capture_output=True, text=True, timeout=STOP_S,
            input=given,
        )  # fmt: skip

    def start(self, *roles: str) -> list[Process]:
        """Start roles, with their options; each is there as soon as it says so."""
        return self._all_started([self._run(role, self._command(role)) for role in roles])

    def begin(self, role: str, before: Sequence[str] = ()) -> Process:
        """Start a role, and do not wait until it is there: only for where it answers probes.

        ``before`` are words before its command.
        """
        process = self._run(role, [*before, *self._command(role)])
        wait_until(lambda: "probes on" in " ".join(process.events()), f"{role} answers probes")
        return process

    def _command(self, role: str) -> list[str]:
        words = role.split()
        return [*_MASKSTREAM, *words, str(self.own.get(words[0], self.config))]

    def start_sleeping(self, sleep: Sleep) -> Process:
        """Start a ``segment`` whose model only takes its time."""
        (process,) = self._all_started([self._run("segment", sleep.command(self.config))])
        return process

    def start_paced(self, sleep: Sleep) -> Process:
        """Start a ``segment`` of live cameras whose model only takes its time, and has told so."""
        words = ["-m", "tests.support.paced", str(self.config)]
        words += [str(sleep.batch_size), str(sleep.seconds)]
        (process,) = self._all_started([self._run("segment", [sys.executable, *words])])
        return process

    def start_bright(self, role: str = "segment") -> Process:
        """Start a role with a model that finds what is bright."""
        words = ["-m", "tests.support.bright", role, str(self.own.get(role, self.config))]
        (process,) = self._all_started([self._run(role, [sys.executable, *words])])
        return process

    def start_breaking(self, batches: int) -> Process:
        """Start a ``segment`` whose device fails for good after so many batches."""
        words = ["-m", "tests.support.broken", str(self.config), str(batches)]
        (process,) = self._all_started([self._run("segment", [sys.executable, *words])])
        return process

    def start_ingest_stand_in(self, spec: StandIns) -> Process:
        """Start an ``ingest`` that has its pictures already."""
        words = ["-m", "stream.cli.bench.stand_ins", "ingest", str(self.config)]
        return self._run("ingest", [sys.executable, *words, msgspec.json.encode(spec).decode()])

    def start_ingest_of(self, *cameras: str) -> Process:
        """Start an ``ingest``, with only some of the cameras in the registry."""
        listed = [each for each in self._document["cameras"] if each["id"] in cameras]
        path = self.folder / f"{'-'.join(cameras)}.yaml"
        path.write_text(json.dumps({"cameras": listed}))
        self.command("cameras", "apply", more=[str(path)])
        (process,) = self.start("ingest")
        return process

    def _all_started(self, processes: Iterable[Process]) -> list[Process]:
        started = list(processes)
        for process in started:
            wait_until(partial(_has_started, process), f"{process.role} has started")
            assert process.is_running or process.popen.returncode == 0, process.text()
        return started

    def _run(self, role: str, command: list[str]) -> Process:
        log = self.folder / f"{role.split(maxsplit=1)[0]}-{len(self.processes)}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.env},
            )  # fmt: skip
        process = Process(role, log, popen)
        self.processes.append(process)
        return process

    def seen(self) -> Seen:
        """What the topics hold now."""
        return asyncio.run(_seen(self._settings()))

    def wait_closed(self, deadline_s: float = 120.0) -> Seen:
        """What the topics hold once every epoch is closed and answered up to its close."""
        there = -1
        seen = Seen(Audit())

        def is_closed() -> bool:
            nonlocal there, seen
            before, there = there, self.records("masks")
            if there == before:  # to read it all while work goes on would take time from it
                seen = self.seen()
            return seen.is_closed

        wait_until(is_closed, "every epoch is closed on masks", deadline_s, pause_s=1.0)
        return seen

    def records(self, topic: str) -> int:
        """How many records a topic holds now."""
        return sum(self.lengths(topic))

    def lengths(self, topic: str) -> list[int]:
        """How many records each partition of a topic holds now."""
        return asyncio.run(_lengths(self._settings(), topic))

    def committed(self, role: str, topic: str) -> Mapping[int, int]:
        """The next offset that ``role`` needs of each partition of a topic."""
        return asyncio.run(_committed(self._settings(), role, topic))

    def lag(self, role: str, topic: str) -> int:
        """How many records of a topic ``role`` has not committed; without a commit, all of them."""
        return asyncio.run(_lag(self._settings(), role, topic))

    def write(self, topic: str, records: Iterable[Record]) -> None:
        """Write records to a topic, as a role would; they are acknowledged on return."""
        asyncio.run(_write(self._settings(), topic, records))

    def written_ms(self, topic: str, kind: str | None = None) -> dict[str, list[int]]:
        """When the records of each camera, or those of a ``kind``, were written, by the broker's
        clock, in order.
        """
        return asyncio.run(_written_ms(self._settings(), topic, kind))

    def _settings(self) -> Settings:
        settings = load(self.config, secrets=False)
        return settings.model_copy(update={"transport": self._looks_at})

    def end(self) -> None:
        for process in self.processes:
            if process.is_running:
                process.signal(signal.SIGCONT)
                process.kill()


@contextmanager
def deployment(
    folder: Path, bootstrap: str, replication: int = 1, **more: Any
) -> Iterator[Deployment]:
    """A deployment whose processes do not outlive the test; ``more`` are sections of its own."""
    deployed = Deployment(folder, bootstrap, replication, **more)
    deployed.command("topics", "apply")
    deployed.command("cameras", "apply")
    try:
        yield deployed
    except BaseException:
        for process in deployed.processes:
            print(f"== {process.log.name}\n{process.text()[-3000:]}")
        raise
    finally:
        deployed.end()


_MASKSTREAM = [sys.executable, "-c", "from stream.cli import main; main()"]


def _document(bootstrap: str, prefix: str, replication: int) -> dict[str, Any]:
    return {
        "transport": f"kafka://{bootstrap}",
        "kafka": {"prefix": prefix, "partitions": PARTITIONS, "replication": replication},
        "model": MODEL,
        "cameras": [{"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 4}],
        "zones": [
            {
                "id": "loading", "camera": "yard",
                "polygon": [[0.6668, 0.878], [0.9633, 0.878], [0.8245, 0.6206], [0.6168, 0.6206]],
            }
        ],
        "rules": [
            {
                "id": "person-inside", "kind": "presence", "zone": "loading",
                "labels": ["person"], "overlap": 0.15, "frames": 3, "cooldown": "3s",
            }
        ],
    }  # fmt: skip


def _has_started(process: Process) -> bool:
    return "started" in process.text() or not process.is_running


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[Reader]:
    options = client_options(settings.transport, settings.kafka)
    async with open_reader(options) as reader:
        yield reader


async def _lengths(settings: Settings, topic: str) -> list[int]:
    async with _reader(settings) as reader:
        partitions = _partitions(settings, topic)
        return [await reader.end(each) - await reader.beginning(each) for each in partitions]


def _partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    name = name_of(topic, settings.kafka)
    return [TopicPartition(name, number) for number in range(PARTITIONS)]


async def _committed(settings: Settings, role: str, topic: str) -> Mapping[int, int]:
    group, name = (name_of(each, settings.kafka) for each in (f"{role}.{topic}", topic))
    async with open_admin(client_options(settings.transport, settings.kafka)) as admin:
        return await admin.committed(group, name)


async def _lag(settings: Settings, role: str, topic: str) -> int:
    committed = await _committed(settings, role, topic)
    partitions = _partitions(settings, topic)
    async with _reader(settings) as reader:
        first, after = await reader.beginnings(partitions), await reader.ends(partitions)
    return sum(after[each] - committed.get(each.partition, first[each]) for each in partitions)


async def _write(settings: Settings, topic: str, records: Iterable[Record]) -> None:
    async with open_transport(settings).outbox(topic) as outbox:
        for record in records:
            await outbox.send(topic, record)
        await outbox.flush()


async def _written_ms(settings: Settings, topic: str, kind: str | None) -> dict[str, list[int]]:
    written: defaultdict[str, list[int]] = defaultdict(list)
    async with _reader(settings) as reader:
        async for each in whole(reader, _partitions(settings, topic), None):
            record = record_of(each)
            if kind is None or codec.kind_of(record) == kind:
                written[record.key].append(each.timestamp)
    return written


async def _seen(settings: Settings) -> Seen:
    transport = open_transport(settings)
    seen = Seen(Audit())
    messages: list[MaskMessage] = []
    async for record in transport.whole("masks"):
        try:
            message = codec.decode(record)
        except RecordError:
            continue
        assert isinstance(message, MaskMessage)
        messages.append(message)
        seen.audit.add(message)
        if isinstance(message, Result):
            seen.results[str(message.id)] += 1
    seen.expected = replay(settings.rules, settings.zones, messages)
    seen.duplicates = seen.results.total() - len(seen.results)
    async for record in transport.whole("alerts"):
        alert = codec.decode(record)
        assert isinstance(alert, Alert)
        seen.alerts.append(alert)
    return seen
