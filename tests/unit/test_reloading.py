"""The cameras of a configuration file, while it is edited."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.clock import SteadyClock
from stream.cli.editing import Edits, changes, edits_of_rules, follow_rules
from stream.cli.reloading import Reloaded
from stream.config import Settings, check_files, check_labels, load, parse
from stream.metrics import Metrics
from stream.registry import Listed, by_id
from stream.rulebook import Rulebook
from stream.rules import Presence
from stream.specs import CameraSpec, ZoneSpec
from tests.support.waiting import eventually

HALL = {"id": "hall", "url": "rtsp://camera/1", "fps": 10}
YARD = {"id": "yard", "url": "rtsp://camera/2"}


class Edited:
    """A configuration file, and what its registry said last."""

    def __init__(self, folder: Path) -> None:
        (folder / "yolo.pt").touch()
        self.path = folder / "maskstream.yaml"
        self.metrics = Metrics()
        self.shares: list[Mapping[str, CameraSpec]] = []
        self.write(HALL)

    def write(self, *cameras: Mapping[str, Any], **sections: Any) -> None:
        document = {"model": {"weights": "yolo.pt"}, "cameras": cameras, **sections}
        self.path.write_text(json.dumps(document))

    def reloads(self, outcome: str) -> float:
        name, labels = "maskstream_reloads_total", {"outcome": outcome}
        return self.metrics.registry.get_sample_value(name, labels) or 0

    def registry(self, settings: Settings) -> Reloaded:
        self.rulebook = Rulebook(settings.rules, settings.zones)
        edits = Edits(self.path, self._check, SteadyClock(), self.metrics)
        return Reloaded(edits, settings, self.rulebook)

    @staticmethod
    def _check(settings: Settings) -> None:
        check_files(settings)
        check_labels(settings, ["person"])

    @property
    def now(self) -> list[str]:
        return list(self.shares[-1])


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[Edited]:
    edited = Edited(folder)
    settings = load(edited.path)
    registry = edited.registry(settings)

    async def follow() -> None:
        async with registry.share() as shares:
            async for share in shares:
                edited.shares.append(share)

    following = asyncio.create_task(follow())
    await eventually(lambda: bool(edited.shares), "the first list")
    yield edited
    assert registry.cameras == edited.shares[-1]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_camera_is_there_once_the_file_names_it(tmp_path: Path) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, YARD)
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        edited.write(YARD)
        await eventually(lambda: edited.now == ["yard"], "one camera")
        assert edited.reloads("taken") == 2


async def test_a_file_that_is_replaced_counts_as_changed(tmp_path: Path) -> None:
    async with followed(tmp_path) as edited:
        before = edited.path.stat()
        other = tmp_path / "other.yaml"
        other.write_text(edited.path.read_text().replace('"hall"', '"dock"'))
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(edited.path)
        await eventually(lambda: edited.now == ["dock"], "the other camera")


async def test_a_bad_edit_keeps_the_list_and_says_what_check_would(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write({**HALL, "fps": -3}, YARD)
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert (
            f"{edited.path}:1: cameras[0].fps: given -3; allowed: a number above 0 and at most 240"
            in caplog.text
        )
        assert edited.now == ["hall"]
        edited.write(HALL, YARD)
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")


async def test_a_label_that_the_model_does_not_know_is_a_bad_edit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, {**YARD, "labels": ["persn"]})
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cameras[1].labels[0]" in caplog.text
        assert edited.now == ["hall"]


async def test_an_edit_between_the_start_and_the_first_look_is_seen(tmp_path: Path) -> None:
    edited = Edited(tmp_path)
    settings = load(edited.path)
    edited.write(YARD)
    registry = edited.registry(settings)
    async with registry.share() as shares:
        assert [list(await anext(shares)) for _ in range(2)] == [["hall"], ["yard"]]


async def test_a_camera_whose_file_is_not_there_is_a_bad_edit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, {"id": "film", "url": "gone.mp4"})
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cameras[1].url" in caplog.text
        assert edited.now == ["hall"]


async def test_a_file_that_is_taken_away_keeps_the_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.path.unlink()
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert "cannot be read: No such file" in caplog.text
        edited.write(YARD)
        await eventually(lambda: edited.now == ["yard"], "the other camera")


async def test_what_else_has_changed_takes_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with followed(tmp_path) as edited:
        edited.write(HALL, YARD, drain="20s")
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        assert "changed: drain; it takes a restart" in caplog.text


def test_a_shadow_waits_for_no_restart_of_those_that_do_not_run_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "transport: kafka://h:9092\nmodel: {weights: a}\n"
    before = parse(text, tmp_path / "c.yaml")
    found = parse(f"{text}shadow: {{name: next, weights: b}}\n", tmp_path / "c.yaml")
    edits = Edits(tmp_path / "c.yaml", lambda _: None, SteadyClock(), Metrics())
    edits.tell_of_others(before, before, found)
    assert caplog.text == ""


async def test_what_takes_a_restart_and_is_taken_back_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with followed(tmp_path) as edited:
        edited.write(HALL, drain="20s", freshness={"max_age": "3s"})
        told = "changed: freshness, drain; it takes a restart"
        await eventually(lambda: told in caplog.text, "what takes a restart is told")
        assert "again as it runs" not in caplog.text
        edited.write(HALL, freshness={"max_age": "3s"})
        told = "again as it runs: drain; no restart for it"
        await eventually(lambda: told in caplog.text, "what was taken back is told")
        edited.write(HALL)
        told = "again as it runs: freshness; no restart for it"
        await eventually(lambda: told in caplog.text, "what was taken back is told")
        edited.write(HALL, YARD)
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        assert caplog.text.count("again as it runs") == 2


async def test_the_log_says_what_was_taken_over_and_not_all_there_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with followed(tmp_path) as edited:
        edited.write(HALL, YARD, zones=[ZONE], rules=[RULE])
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        assert f"{edited.path}: rules added: leaves; zones added: exit\n" in caplog.text
        assert f"{edited.path}: cameras added: yard\n" in caplog.text
        assert edited.reloads("taken") == 1
        rules = [RULE, {**RULE, "id": "stays", "frames": 9}]
        edited.write({**HALL, "fps": 5}, YARD, zones=[ZONE], rules=rules)
        told = f"{edited.path}: cameras changed: hall\n"
        await eventually(lambda: told in caplog.text, "the camera is told")
        assert f"{edited.path}: rules added: stays\n" in caplog.text
        assert edited.reloads("taken") == 2


def test_a_list_that_became_another_says_how() -> None:
    one, two, three = (Presence(id=name, zone="exit") for name in ("one", "two", "three"))
    other = two.model_copy(update={"frames": 9})
    assert changes("rules", [one, two], [three, other]) == [
        "rules added: three",
        "rules removed: one",
        "rules changed: two",
    ]
    assert changes("rules", [one, two], [two, one]) == ["rules in another order"]
    assert changes("rules", [one, two], [one, two]) == []
    exit_zone = ZoneSpec(id="exit", camera="hall", polygon=((0, 0), (1, 0), (1, 1)))
    wider = exit_zone.model_copy(update={"polygon": ((0, 0), (1, 0), (1, 1), (0, 1))})
    assert changes("zones", [exit_zone], [wider]) == ["zones changed: exit"]


ZONE = {"id": "exit", "camera": "hall", "polygon": [[0, 0], [1, 0], [1, 1]]}
RULE: dict[str, Any] = {"id": "leaves", "kind": "presence", "zone": "exit"}


async def test_rules_and_zones_are_taken_over_with_the_plans_that_watch_holds(
    tmp_path: Path,
) -> None:
    async with followed(tmp_path) as edited:
        plans = edited.rulebook.plans
        assert not plans["hall"].rules
        edited.write(HALL, zones=[ZONE], rules=[RULE])
        await eventually(lambda: edited.reloads("taken") == 1, "the rules are taken over")
        assert [rule.id for rule in plans["hall"].rules] == ["leaves"]
        assert [zone.id for zone in edited.rulebook.zones] == ["exit"]
        edited.write(HALL, zones=[ZONE])
        await eventually(lambda: not plans["hall"].rules, "no rule")


async def test_a_bad_rule_keeps_the_rules_and_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path) as edited:
        edited.write(HALL, zones=[ZONE], rules=[RULE])
        await eventually(lambda: edited.reloads("taken") == 1, "the rules are taken over")
        edited.write(HALL, zones=[ZONE], rules=[{**RULE, "zone": "exitt"}])
        await eventually(lambda: edited.reloads("refused") == 1, "a refusal")
        assert 'rules[0].zone: rule leaves: unknown zone "exitt", did you mean exit?' in caplog.text
        assert [rule.id for rule in edited.rulebook.plans["hall"].rules] == ["leaves"]


async def test_rules_wait_for_the_restart_that_new_endpoints_take(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their alerts would be given up until then."""
    monkeypatch.setenv("OPS_SECRET", "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMzI=")
    ops = {"id": "ops", "url": "https://ops.example/hook", "secret": {"env": "OPS_SECRET"}}
    async with followed(tmp_path) as edited:
        rule = {**RULE, "notify": ["ops"]}
        edited.write(HALL, YARD, zones=[ZONE], rules=[rule], endpoints=[ops])
        await eventually(lambda: edited.now == ["hall", "yard"], "two cameras")
        assert "changed: zones, rules, endpoints; it takes a restart" in caplog.text
        assert edited.rulebook.rules == ()
        caplog.set_level(logging.INFO)
        edited.write(HALL, YARD, zones=[ZONE], rules=[RULE])
        await eventually(lambda: bool(edited.rulebook.rules), "the rules are taken over")
        told = "again as it runs: endpoints; no restart for it"
        await eventually(lambda: told in caplog.text, "the endpoints are told")


async def test_rules_that_were_taken_over_do_not_wait_for_a_restart_of_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMzI=")
    ops = {"id": "ops", "url": "https://ops.example/hook", "secret": {"env": "OPS_SECRET"}}
    async with followed(tmp_path) as edited:
        edited.write(HALL, zones=[ZONE], rules=[RULE])
        await eventually(lambda: bool(edited.rulebook.rules), "the rules are taken over")
        edited.write(HALL, zones=[ZONE], rules=[RULE], endpoints=[ops])
        told = "changed: endpoints; it takes a restart"
        await eventually(lambda: told in caplog.text, "what takes a restart is told")


async def test_a_watcher_takes_over_rules_of_a_camera_that_was_registered_after_its_start(
    tmp_path: Path,
) -> None:
    path, registry = tmp_path / "maskstream.yaml", Listed([])
    edits = edits_of_rules(path, registry, SteadyClock(), Metrics())
    registry.cameras = by_id([CameraSpec.model_validate(HALL)])
    (tmp_path / "yolo.pt").touch()
    kafka, rule = "kafka://127.0.0.1:9092", {"id": "any", "kind": "presence", "camera": "hall"}
    document = {"model": {"weights": "yolo.pt"}, "transport": kafka, "rules": [rule]}
    path.write_text(json.dumps(document))
    found = await edits.look()
    assert found is not None
    assert [each.id for each in found.rules] == ["any"]


async def test_a_watcher_waits_with_rules_for_the_restart_that_new_endpoints_take(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMzI=")
    ops = {"id": "ops", "url": "https://ops.example/hook", "secret": {"env": "OPS_SECRET"}}
    edited = Edited(tmp_path)
    settings = load(edited.path)
    rulebook, registry = Rulebook((), ()), Listed(settings.cameras)
    edits = edits_of_rules(edited.path, registry, SteadyClock(), edited.metrics)
    following = asyncio.create_task(follow_rules(edits, settings, rulebook))
    edited.write(HALL, zones=[ZONE], rules=[{**RULE, "notify": ["ops"]}], endpoints=[ops])
    told = "changed: zones, rules, endpoints; it takes a restart"
    await eventually(lambda: told in caplog.text, "what takes a restart is told")
    assert rulebook.rules == ()
    edited.write(HALL, zones=[ZONE], rules=[RULE])
    await eventually(lambda: edited.reloads("taken") == 1, "the rules are taken over")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
