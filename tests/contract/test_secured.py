"""Brokers that encrypt and ask for a login: records go through, and who is refused is told why."""

import asyncio
import logging
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka import KafkaTransport
from connectors.kafka.client import client_options
from stream.errors import ConfigError, ConnectError
from stream.kafka_spec import KafkaSpec
from tests.support.kafka import free_ports
from tests.support.kafka_transport import kafka_settings
from tests.support.records import TOPIC, numbers, some, write
from tests.support.secured import WRONG, Secured

Section = Callable[[Secured], dict[str, Any]]
SOON_S = 10.0
"""Before a request to a broker would time out: whoever is refused is refused at once."""

TAKEN: dict[str, tuple[str, Section]] = {
    "PLAIN": ("SASL_SSL", lambda broker: {"tls": broker.tls(), "sasl": broker.sasl("PLAIN")}),
    "SCRAM-SHA-256": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls(), "sasl": broker.sasl("SCRAM-SHA-256")},
    ),
    "SCRAM-SHA-512": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls(), "sasl": broker.sasl("SCRAM-SHA-512")},
    ),
    "login without encryption": (
        "SASL_PLAINTEXT",
        lambda broker: {"sasl": broker.sasl("SCRAM-SHA-512")},
    ),
    "client certificate": ("SSL", lambda broker: {"tls": broker.tls(client=True)}),
}

REFUSED: dict[str, tuple[str, Section, str]] = {
    "wrong password, PLAIN": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls(), "sasl": broker.sasl("PLAIN", WRONG)},
        r"the login is refused: .*Invalid username or password; check kafka\.sasl",
    ),
    "wrong password, SCRAM": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls(), "sasl": broker.sasl("SCRAM-SHA-512", WRONG)},
        r"the login is refused: .*invalid credentials.*; check kafka\.sasl",
    ),
    "a CA that does not vouch for it": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls("other-ca.pem"), "sasl": broker.sasl("PLAIN")},
        r"its certificate is refused: unable to get local issuer.*; check kafka\.tls\.ca",
    ),
    "the system's CAs": (
        "SASL_SSL",
        lambda broker: {"tls": {}, "sasl": broker.sasl("PLAIN")},
        r"its certificate is refused: .*; check kafka\.tls\.ca",
    ),
    "no client certificate": (
        "SSL",
        lambda broker: {"tls": broker.tls()},
        r"check kafka\.tls",
    ),
    "plain text on a port that encrypts": (
        "SASL_SSL",
        lambda _: {},
        r"hung up on PLAINTEXT; check kafka\.tls, kafka\.sasl",
    ),
    "encryption on a plain port": (
        "PLAINTEXT",
        lambda broker: {"tls": broker.tls()},
        r"hung up on SSL; check kafka\.tls",
    ),
    "no login where one is wanted": (
        "SASL_SSL",
        lambda broker: {"tls": broker.tls()},
        r"hung up on SSL; check kafka\.tls, kafka\.sasl",
    ),
    "a login where none is wanted": (
        "SSL",
        lambda broker: {"tls": broker.tls(client=True), "sasl": broker.sasl("PLAIN")},
        r"takes no login; check kafka\.sasl",
    ),
}


@pytest.mark.parametrize("how", TAKEN)
async def test_a_record_goes_through(how: str, secured: Secured) -> None:
    security, section = TAKEN[how]
    settings = kafka_settings(secured.address(security), **section(secured))
    transport = KafkaTransport(settings)
    await transport.apply()
    await transport.check("web")
    await write(transport, 3)
    async with transport.inbox(TOPIC, "test") as inbox:
        assert numbers(await some(inbox, 3)) == [0, 1, 2]
    assert len([record async for record in transport.whole(TOPIC)]) == 3


@pytest.mark.parametrize("why", REFUSED)
async def test_who_is_refused_is_told_why_and_what_to_check(
    why: str, secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    security, section, told = REFUSED[why]
    address = secured.address(security)
    transport = KafkaTransport(kafka_settings(address, **section(secured)))
    for ask in (transport.planned, lambda: write(transport, 1), lambda: joined(transport)):
        with (
            caplog.at_level(logging.INFO),
            pytest.raises(ConnectError, match=f"^kafka: {address}: .*{told}") as error,
        ):
            async with asyncio.timeout(SOON_S):
                await ask()
        assert "canary" not in f"{error.getrepr()}{caplog.text}"
        assert "\n" not in str(error.value)


async def joined(transport: KafkaTransport) -> None:
    async with transport.inbox(TOPIC, "test"):
        pass


async def test_a_name_that_the_certificate_does_not_hold_is_refused(secured: Secured) -> None:
    address = secured.address("SASL_SSL", "localhost")
    settings = kafka_settings(address, tls=secured.tls(), sasl=secured.sasl("PLAIN"))
    transport = KafkaTransport(settings)
    with pytest.raises(ConnectError, match=r"localhost.*Hostname mismatch.*the host's name"):
        await transport.check("web")


async def test_every_broker_that_does_not_take_us_is_named(secured: Secured) -> None:
    (nobody,) = free_ports(1)
    address = f"127.0.0.1:{nobody},{secured.address('SASL_SSL')}"
    with pytest.raises(ConnectError) as error:
        await KafkaTransport(kafka_settings(address)).check("web")
    assert sorted(re.findall(r"^kafka: \S+:(\d+): ", str(error.value), re.MULTILINE)) == sorted(
        [str(nobody), str(secured.ports["SASL_SSL"])]
    )


async def test_one_broker_that_takes_us_is_enough(secured: Secured) -> None:
    (nobody,) = free_ports(1)
    address = f"127.0.0.1:{nobody},{secured.address('PLAINTEXT')}"
    assert await KafkaTransport(kafka_settings(address)).planned() != []


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"ca": "nowhere.pem"}, r"kafka\.tls\.ca: given \S+nowhere\.pem: No such file"),
        ({"ca": "ca.key"}, r"kafka\.tls\.ca: given \S+ca\.key: .*allowed: certificates in PEM"),
        (
            {"certificate": "client.pem", "key": "broker.key"},
            r"kafka\.tls: given certificate \S+client\.pem and key \S+broker\.key: .*mismatch",
        ),
        (
            {"certificate": "client.pem", "key": "locked.key"},
            r"locked\.key: .*allowed: a certificate and its key, in PEM, without a password",
        ),
    ],
    ids=["no file", "no certificate", "another's key", "a key with a password"],
)
def test_a_certificate_that_cannot_be_used_is_named(
    section: dict[str, str], told: str, secured: Secured
) -> None:
    lock(secured.folder)
    spec = {name: secured.folder / file for name, file in section.items()}
    with pytest.raises(ConfigError, match=told):
        client_options("kafka://127.0.0.1:9", KafkaSpec.model_validate({"tls": spec}))


def lock(folder: Path) -> None:
    """Make ``locked.key``, which has a password."""
    command = ["openssl", "pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key"]
    subprocess.run([*command, "-passout", "pass:canary"], check=True, cwd=folder)
