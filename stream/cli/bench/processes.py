"""Roles as processes on a broker, for as long as something is measured."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from stream.cli.bench.stand_ins import StandIns
from stream.errors import ConnectError

STOP_S = 30.0
JOIN_S = 60.0
"""Eight processes on two cores take a while to start."""


class Deployment:
    """A configuration on topics of its own. ``document`` may be run in parts."""

    def __init__(self, folder: Path, document: Mapping[str, Any]) -> None:
        self.document = document
        self._bootstrap = document["transport"].removeprefix("kafka://")
        self._folder = folder
        self._stack = ExitStack()
        self._apply("topics", self.config("all"))

    def register(self, config: str) -> None:
        """Make the cameras of a configuration those that run."""
        self._apply("cameras", config)

    def _apply(self, what: str, config: str) -> None:
        if command(what, "apply", config).wait(STOP_S):
            raise ConnectError(f"{what} apply failed on {self._bootstrap}")

    def config(self, name: str, **changed: Any) -> str:
        """The path of a configuration with some sections changed."""
        path = self._folder / f"{name}.yaml"
        path.write_text(json.dumps({**self.document, **changed}))
        return str(path)

    def stand_in(self, role: str, config: str, spec: StandIns) -> subprocess.Popen[bytes]:
        """A role with stand-ins, stopped at the end; an ``ingest`` runs what ``config`` lists."""
        if role == "ingest":
            self.register(config)
        module = "stream.cli.bench.stand_ins"
        return self._kept(_started("-m", module, role, config, msgspec.json.encode(spec)))

    async def rate(self, topic: str, over_s: float) -> float:
        """Records per second that are written to ``topic`` from now on."""
        async with self.count(topic) as written:
            first, began = await written(), time.perf_counter()
            await asyncio.sleep(over_s)
            last, ended = await written(), time.perf_counter()
        return (last - first) / (ended - began)

    @asynccontextmanager
    async def count(self, topic: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        """Says how many records were ever written to ``topic``, as often as it is asked."""
        spec = self.document["kafka"]
        name = spec["prefix"] + topic
        parts = [TopicPartition(name, number) for number in range(spec["partitions"])]
        consumer: Any = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        await consumer.start()

        async def written() -> int:
            return sum((await consumer.end_offsets(parts)).values())

        try:
            yield written
        finally:
            await consumer.stop()

    async def joined(self, group: str, members: int) -> None:
        """Return once a group has so many members and each knows its partitions."""
        name = self.document["kafka"]["prefix"] + group
        client: Any = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await client.start()
        try:
            async with asyncio.timeout(JOIN_S):
                await _until_standing(client, name, ("Stable", members))
        finally:
            await client.close()

    async def flowing(self, topic: str) -> None:
        """Return once something comes."""
        async with asyncio.timeout(STOP_S):
            while not await self.rate(topic, 0.5):
                pass

    def close(self) -> None:
        """Stop all, and leave nothing on the broker: pictures take gigabytes in a minute."""
        self._stack.close()
        with ThreadPoolExecutor(1) as thread:  # whoever measures may be on an event loop
            thread.submit(asyncio.run, self._forget()).result()

    async def _forget(self) -> None:
        client: Any = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await client.start()
        try:
            own = self.document["kafka"]["prefix"]
            topics = [name for name in await client.list_topics() if name.startswith(own)]
            await client.delete_topics(topics)
        finally:
            await client.close()

    def _kept(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        self._stack.callback(stop, process)
        return process


async def _until_standing(client: Any, group: str, wanted: tuple[str, int]) -> None:
    """Return once ``group`` is in a state and has a number of members."""
    while True:
        with suppress(GroupCoordinatorNotAvailableError):  # as while a new broker makes its topic
            (answer,) = await client.describe_consumer_groups([group])
            ((_, _, state, _, _, members, *_),) = answer.groups
            if (state, len(members)) == wanted:
                return
        await asyncio.sleep(0.2)


@contextmanager
def deployed(bootstrap: str, partitions: int, **sections: Any) -> Iterator[Deployment]:
    """Topics with a prefix of their own; they and what was started are gone at the end."""
    document = {
        "transport": f"kafka://{bootstrap}",
        "kafka": {
            "prefix": f"bench-{uuid4().hex[:8]}.", "partitions": partitions, "replication": 1,
        },
        **sections,
    }  # fmt: skip
    with TemporaryDirectory(prefix="maskstream-bench-") as folder:
        deployment = Deployment(Path(folder), document)
        try:
            yield deployment
        finally:
            deployment.close()


def command(*words: str) -> subprocess.Popen[bytes]:
    """A command of the product."""
    return _started("-c", "from stream.cli import main; main()", *words)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and wait until it has drained."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def cpu_s(process: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _started(*words: str | bytes) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, *words], stdout=quiet, stderr=quiet)  # noqa: S603
