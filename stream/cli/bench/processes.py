"""Roles as processes on a broker, for as long as something is measured."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.cli.bench.stand_ins import StandIns

STOP_S = 30.0


class Deployment:
    """A configuration on topics of its own. ``document`` may be run in parts."""

    def __init__(self, folder: Path, document: Mapping[str, Any]) -> None:
        self.document = document
        self._bootstrap = document["transport"].removeprefix("kafka://")
        self._folder = folder
        self._stack = ExitStack()
        command("topics", "apply", self.config("all")).wait(STOP_S)

    def config(self, name: str, **changed: Any) -> str:
        """The path of a configuration with some sections changed."""
        path = self._folder / f"{name}.yaml"
        path.write_text(json.dumps({**self.document, **changed}))
        return str(path)

    def product(self, *words: str) -> subprocess.Popen[bytes]:
        """A command of the product, stopped at the end."""
        return self._kept(command(*words))

    def stand_in(self, role: str, config: str, spec: StandIns) -> subprocess.Popen[bytes]:
        """A role with stand-ins, stopped at the end."""
        module = "stream.cli.bench.stand_ins"
        return self._kept(_started("-m", module, role, config, msgspec.json.encode(spec)))

    async def rate(self, topic: str, over_s: float) -> float:
        """Records per second that are written to ``topic`` from now on."""
        spec = self.document["kafka"]
        name = spec["prefix"] + topic
        parts = [TopicPartition(name, number) for number in range(spec["partitions"])]
        consumer: Any = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        await consumer.start()
        try:
            first, began = await consumer.end_offsets(parts), time.perf_counter()
            await asyncio.sleep(over_s)
            last, ended = await consumer.end_offsets(parts), time.perf_counter()
        finally:
            await consumer.stop()
        return float((sum(last.values()) - sum(first.values())) / (ended - began))

    async def flowing(self, topic: str) -> None:
        """Return once something comes."""
        async with asyncio.timeout(STOP_S):
            while not await self.rate(topic, 0.5):
                pass

    def close(self) -> None:
        """Stop all."""
        self._stack.close()

    def _kept(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        self._stack.callback(stop, process)
        return process


@contextmanager
def deployed(bootstrap: str, partitions: int, **sections: Any) -> Iterator[Deployment]:
    """Topics with a prefix of their own; what was started is stopped at the end."""
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


def _started(*words: str | bytes) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, *words], stdout=quiet, stderr=quiet)  # noqa: S603
