"""A tenant on a broker that asks for rights: each role is a user, and has what it is granted."""

import argparse
import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol import admin
from aiokafka.protocol.api import Request

from connectors.kafka.operations import Operation
from connectors.kafka.rights import USERS
from tests.support.roles import Deployment, deployment
from tests.support.secured import Secured

ANY, LITERAL, ALLOW, EVERYWHERE = 1, 3, 3, "*"
KINDS = {"topic": 2, "group": 3}
OPERATIONS = {each.word: each for each in Operation}


class Acl(NamedTuple):
    """One right, as brokers keep it."""

    kind: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def acls(lines: Iterable[str]) -> list[Acl]:
    """What the arguments of ``kafka-acls`` mean, a line for each call."""
    return [acl for line in lines for acl in _acls(shlex.split(line))]


def _acls(words: list[str]) -> Iterator[Acl]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    for name in ("operation", *KINDS):
        parser.add_argument(f"--{name}", action="append", default=[])
    given = parser.parse_args(words)
    for kind, number in KINDS.items():
        for name, word in product(getattr(given, kind), given.operation):
            operation = int(OPERATIONS[word])
            yield Acl(number, name, LITERAL, given.allow_principal, EVERYWHERE, operation, ALLOW)


class _Creating(Request[admin.CreateAclsRequest_v1]):  # type: ignore[misc]
    API_KEY = 30

    def __init__(self, wanted: Iterable[Acl]) -> None:
        self._wanted = [tuple(each) for each in wanted]

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._wanted)


class _Deleting(Request[admin.DeleteAclsRequest_v1]):  # type: ignore[misc]
    API_KEY = 31

    def __init__(self, unwanted: Iterable[Acl]) -> None:
        self._unwanted = [tuple(each) for each in unwanted]

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._unwanted)


class _Listing(Request[admin.DescribeAclsRequest_v1]):  # type: ignore[misc]
    API_KEY = 29

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(ANY, None, LITERAL, None, None, ANY, ANY)


async def grant(bootstrap: str, wanted: Iterable[Acl]) -> None:
    """Return once the broker lets these be done."""
    wanted = list(wanted)
    async with _asked(bootstrap) as ask:
        answer = await ask(_Creating(wanted))
        assert not any(code for code, *_ in answer.creation_responses), answer
        while not set(wanted) <= await _listed(ask):  # noqa: ASYNC110 - brokers call nobody
            await asyncio.sleep(0.02)


async def revoke(bootstrap: str, unwanted: Iterable[Acl]) -> None:
    """Return once the broker lets none of these be done any more."""
    unwanted = list(unwanted)
    async with _asked(bootstrap) as ask:
        await ask(_Deleting(unwanted))
        while set(unwanted) & await _listed(ask):  # noqa: ASYNC110 - brokers call nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _asked(bootstrap: str) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        yield client._send_request
    finally:
        await client.close()


async def _listed(ask: Any) -> set[Acl]:
    answer = await ask(_Listing())
    return {
        Acl(kind, name, pattern, *entry)
        for kind, name, pattern, entries in answer.resources
        for entry in entries
    }


@contextmanager
def tenant(
    folder: Path, broker: Secured, prefix: str, security: str = "SASL_PLAINTEXT", **more: Any
) -> Iterator[Deployment]:
    """A deployment of a tenant; who looks into its topics, or makes them, may do anything."""
    kafka = {"prefix": prefix, **more.pop("kafka", {})}
    with deployment(folder, broker.address("PLAINTEXT"), kafka=kafka, **more) as deployed:
        limit(deployed, broker, security)
        yield deployed


def limit(deployed: Deployment, broker: Secured, security: str = "SASL_PLAINTEXT") -> None:
    """Have processes that start from now on log in as the user of their role."""
    deployed.own = {user: _own(deployed, broker, security, user) for user in USERS}


def _own(deployed: Deployment, broker: Secured, security: str, user: str) -> Path:
    document = json.loads(deployed.config.read_text())
    kafka = document["kafka"]
    kafka["sasl"] = broker.sasl("SCRAM-SHA-512", user=kafka["prefix"] + user)
    if security == "SASL_SSL":
        kafka["tls"] = broker.tls()
    document["transport"] = f"kafka://{broker.address(security)}"
    path = deployed.folder / f"{user}.yaml"
    path.write_text(json.dumps(document))
    return path
