"""The rights that each role needs on Kafka, as they are printed and as the page has them."""

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from connectors.kafka.rights import USERS, User, acls
from stream import ingest, notify, segment, watch
from stream.cli.topics import print_acls
from stream.config import Settings
from tests.support.grants import acls as granted_by
from tests.support.kafka_transport import kafka_settings

PREFIX = "site-a."
PAGE = Path(__file__).parents[2] / "docs" / "kafka.md"


def test_rights_are_printed_without_a_broker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {
        "transport": "kafka://nowhere:1",
        "kafka": {"prefix": PREFIX},
        "model": {"weights": "yolo"},
    }
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(document))
    print_acls(config)
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0]
        == f"--add --allow-principal User:{PREFIX}ingest --operation Read --topic {PREFIX}cameras"
    )
    granted = granted_by(told)
    assert {acl.principal for acl in granted} == {f"User:{PREFIX}{user}" for user in USERS}
    assert all(acl.name.startswith(PREFIX) for acl in granted)
    assert len(set(granted)) == len(granted)


def test_notify_reads_frames_where_it_stores_evidence_only(tmp_path: Path) -> None:
    spec = kafka_settings("nowhere:1")
    stored = Settings.model_validate({**spec.model_dump(), "evidence": {"store": str(tmp_path)}})
    more = set(granted_by(acls(stored))) - set(granted_by(acls(spec)))
    principal = f"User:{spec.kafka.prefix}notify"
    assert {(acl.principal, acl.name.removeprefix(spec.kafka.prefix)) for acl in more} == {
        (principal, "frames"), (principal, "frames-archive"), (principal, "masks"),
    }  # fmt: skip


@pytest.mark.parametrize("role", [ingest, segment, watch, notify])
def test_a_role_may_write_what_its_loop_writes(role: object) -> None:
    name = getattr(role, "__name__", "").rpartition(".")[2]
    assert set(getattr(role, "TOPICS", ())) <= set(USERS[name].writes)


def test_the_page_has_all_rights() -> None:
    rows = "\n".join(_row(name, user) for name, user in USERS.items())
    assert f"| user | reads | writes | groups |\n|---|---|---|---|\n{rows}\n" in PAGE.read_text()


def _row(name: str, user: User) -> str:
    reads, writes = _named(user.reads), _named(user.writes)
    if user.makes:
        reads = "makes all, and changes their settings"
    if user.measures:
        reads = f"describes {_named(user.measures)}"
    groups = [_named(user.joins)] if user.joins else []
    groups += [f"describes {_named(user.follows)}"] if user.follows else []
    cells = [f"`{name}`", reads, writes, "; ".join(groups)]
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _named(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
