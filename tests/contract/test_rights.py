"""What users may do who are granted what `connectors.kafka.rights` says, and no more."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.kafka import KafkaTransport, client
from connectors.kafka.rights import USERS, acls
from stream.config import Settings
from stream.errors import EXIT_FORBIDDEN, ForbiddenError
from stream.ports import Record
from stream.specs import ShadowSpec
from tests.support.grants import acls as granted_by
from tests.support.grants import grant, revoke
from tests.support.kafka_transport import kafka_settings
from tests.support.secured import TENANTS, Secured

OURS, OTHERS = TENANTS[:2]
SOME = Record("hall", b"{}", {})


def settings(secured: Secured, user: str, tenant: str = OURS) -> Settings:
    sasl = secured.sasl("SCRAM-SHA-512", user=f"{OURS}{user}")
    return of_tenant(secured.address("SASL_PLAINTEXT"), prefix=tenant, sasl=sasl)


def of_tenant(address: str, **kafka: Any) -> Settings:
    """With a shadow, so that everybody has something to do."""
    shadow = ShadowSpec(name="next", weights=Path("next"))
    return kafka_settings(address, **kafka).model_copy(update={"shadow": shadow})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tenants(secured: Secured) -> AsyncIterator[Secured]:
    """Two tenants with topics, and users with their rights."""
    address = secured.address("PLAINTEXT")
    for tenant in (OURS, OTHERS):
        there = of_tenant(address, prefix=tenant)
        await KafkaTransport(there).apply()
        await grant(address, granted_by(acls(there)))
    yield secured


@pytest.mark.parametrize("user", [user for user in USERS if user not in {"topics", "keda"}])
async def test_all_that_a_user_needs_is_granted(user: str, tenants: Secured) -> None:
    await KafkaTransport(settings(tenants, user)).check(user)


async def test_who_makes_topics_may_look_at_them(tenants: Secured) -> None:
    assert await KafkaTransport(settings(tenants, "topics")).apply() == []


@pytest.mark.parametrize(
    ("user", "topic", "told"),
    [
        ("segment", "alerts", r"alerts: .*Topic\w+Failed"),
        ("shadow", "masks", r"masks: .*Topic\w+Failed"),
        ("web", "frames", r"Cluster\w+Failed"),
    ],
)
async def test_what_is_not_granted_cannot_be_written(
    user: str, topic: str, told: str, tenants: Secured
) -> None:
    """Who may write nothing is told of the cluster: it gives out no number to write in order."""
    transport = KafkaTransport(settings(tenants, user))
    with pytest.raises(ForbiddenError, match=rf"user {OURS}{user}: .*{told}"):
        await written(transport, topic)


async def written(transport: KafkaTransport, topic: str) -> None:
    async with transport.outbox(topic) as outbox:
        await outbox.send(topic, SOME)
        await outbox.flush()


@pytest.mark.parametrize(("user", "tenant"), [("ingest", OURS), ("watch", OTHERS)])
async def test_what_is_not_granted_cannot_be_read(
    user: str, tenant: str, tenants: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_TIMEOUT_MS", 500)  # so long aiokafka looks for it
    transport = KafkaTransport(settings(tenants, user, tenant))
    with pytest.raises(ForbiddenError, match=rf"user {OURS}{user}: .*{re.escape(tenant)}masks"):
        await transport.is_cut("masks")


async def test_a_group_of_others_cannot_be_joined(tenants: Secured) -> None:
    transport = KafkaTransport(settings(tenants, "watch"))
    with pytest.raises(
        ForbiddenError, match=rf"user {OURS}watch: .*Group\w+Failed.*segment\.masks"
    ):
        async with transport.inbox("masks", "segment"):
            pass


async def test_a_group_that_may_be_looked_at_cannot_be_joined(tenants: Secured) -> None:
    transport = KafkaTransport(settings(tenants, "ingest"))
    with pytest.raises(
        ForbiddenError, match=rf"user {OURS}ingest: .*Group\w+Failed.*segment\.frames"
    ):
        async with transport.inbox("frames-archive", "segment"):
            pass


async def test_each_right_that_is_missing_is_named_with_its_user(tenants: Secured) -> None:
    address, spec = tenants.address("PLAINTEXT"), settings(tenants, "ingest")
    taken = [
        acl
        for acl in granted_by(acls(spec))
        if acl.principal == f"User:{OURS}ingest"
        and acl.name in {f"{OURS}frames", f"{OURS}ingest.cameras", f"{OURS}segment.frames-archive"}
    ]
    await revoke(address, taken)
    try:
        with pytest.raises(ForbiddenError) as error:
            await KafkaTransport(spec).check("ingest")
    finally:
        await grant(address, taken)
    told = f"kafka: user {OURS}ingest: "
    assert str(error.value).splitlines() == [
        f"{told}topic {OURS}frames: may not Write, DescribeConfigs",
        f"{told}group {OURS}ingest.cameras: may not Read",
        f"{told}group {OURS}segment.frames-archive: may not Describe",
        "maskstream topics acls CONFIG prints what each role needs",
    ]
    assert error.value.exit_code == EXIT_FORBIDDEN == 77


async def test_who_may_not_make_topics_is_told_so(tenants: Secured) -> None:
    transport = KafkaTransport(settings(tenants, "ingest"))
    with pytest.raises(ForbiddenError, match=rf"topic {OURS}tracks: may not Create, Describe, "):
        await transport.apply()
