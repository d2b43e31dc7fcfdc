"""The rights that each role needs on Kafka, as they are printed and as the page has them."""

import json
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml

from connectors.kafka.rights import OF_A_SHADOW, USERS, User, acls, user_of
from stream import ingest, notify, segment, watch
from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.topics import print_acls
from stream.config import Settings
from stream.specs import ShadowSpec
from tests.support.grants import acls as granted_by
from tests.support.kafka_transport import kafka_settings

PREFIX = "site-a."
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kafka.md"
CHART = ROOT / "deploy" / "helm" / "maskstream"


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
    users = USERS.keys() - OF_A_SHADOW
    assert {acl.principal for acl in granted} == {f"User:{PREFIX}{user}" for user in users}
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


def test_a_shadow_has_rights_by_its_name_and_those_of_others_reach_its_masks() -> None:
    spec = kafka_settings("nowhere:1")
    shadow = ShadowSpec(name="next", weights=Path("next"))
    more = set(granted_by(acls(spec.model_copy(update={"shadow": shadow}))))
    more -= set(granted_by(acls(spec)))
    prefix = spec.kafka.prefix
    found = {(acl.principal.removeprefix(f"User:{prefix}"), acl.name) for acl in more}
    told = {(user, name.removeprefix(prefix)) for user, name in found}
    assert told == {
        ("shadow", "cameras"), ("shadow", "frames"), ("shadow", "masks.next"),
        ("shadow", "shadow.next.frames"),
        ("compare", "cameras"), ("compare", "masks"), ("compare", "masks.next"),
        ("compare", "compare.next.masks"), ("compare", "compare.next.masks.next"),
        ("topics", "masks.next"), ("audit", "masks.next"),
    }  # fmt: skip


@pytest.mark.parametrize("part", Part)
def test_each_part_of_segment_may_do_its_job(part: Part) -> None:
    shadow = ShadowSpec(name="next", weights=Path("next"))
    spec = kafka_settings("nowhere:1").model_copy(update={"shadow": shadow})
    job, user = job_of(part, spec), user_of(part.role, spec)
    assert {*job.reads, job.outlet.masks} <= set(user.reads)
    assert set(job.outlet.topics) == set(user.writes)
    assert {f"{job.group}.{each}" for each in job.reads} <= set(user.joins)


def test_users_of_the_chart_are_those_that_are_granted_rights() -> None:
    kafka = yaml.safe_load((CHART / "examples" / "large-site.yaml").read_text())["kafka"]
    for component, user in kafka["sasl"]["users"].items():
        assert user["username"] == f"{kafka['prefix']}{component}"
        assert component in USERS
    schema = json.loads((CHART / "values.schema.json").read_text())
    users = schema["properties"]["kafka"]["properties"]["sasl"]["properties"]["users"]
    assert users["properties"].keys() == {"default", *USERS} - {"audit", "replay"}


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
