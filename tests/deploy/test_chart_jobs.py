"""What runs once: jobs around an install or upgrade, `helm test`, and the copy of an artefact."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from stream.config import parse
from stream.errors import EXIT_CONFIG, ConfigError
from tests.support.helm import MINIMAL, Object, configurations, named, of_kind, pods, rendered

CAMERAS = 'cameras=[{"id": "hall", "url": "rtsp://10.0.3.7/1"}]'
IMAGE = (
    'model.artefact={"path": "", "image": {"reference": "models:3", "path": "/artefact"}}',
    "web.segment=true",
)


@pytest.fixture(scope="module")
def objects() -> Sequence[Object]:
    return rendered(*MINIMAL, CAMERAS, *IMAGE)


def _hook(thing: Object, key: str = "hook") -> str:
    return str(thing["metadata"].get("annotations", {}).get(f"helm.sh/{key}", ""))


def test_all_that_a_job_needs_is_there_before_it(objects: Sequence[Object]) -> None:
    for job in of_kind(objects, "Job"):
        account = named(objects, "ServiceAccount", job["metadata"]["name"])
        config = named(objects, "ConfigMap", job["metadata"]["name"])
        for each in (account, config):
            assert _hook(each) == _hook(job)
            assert int(_hook(each, "hook-weight")) < int(_hook(job, "hook-weight"))


def test_a_fault_in_any_section_fails_the_job_that_runs_first() -> None:
    """Pods that run take over no rules with a fault, and none starts anew by them: without this an
    upgrade would seem to have been made."""
    rules = 'config.rules=[{"id": "x", "kind": "presense", "camera": "hall"}]'
    config = configurations(rendered(*MINIMAL, rules))["site-topics"]
    with pytest.raises(ConfigError, match=r'rules\[0\]\.kind: rule x: given "presense"; allowed'):
        parse(config, Path("config.yaml"), secrets=False)


def test_the_job_of_topics_has_a_policy_of_its_own_brokers(objects: Sequence[Object]) -> None:
    """That of the release comes after it, and until then that of the release before stands."""
    job, policy = (named(objects, kind, "site-topics") for kind in ("Job", "NetworkPolicy"))
    assert _hook(policy) == _hook(job) == "pre-install,pre-upgrade"
    assert int(_hook(policy, "hook-weight")) < int(_hook(job, "hook-weight"))
    wanted = policy["spec"]["podSelector"]["matchLabels"]
    assert wanted == job["spec"]["template"]["metadata"]["labels"]
    ports = [port["port"] for each in policy["spec"]["egress"] for port in each["ports"]]
    assert ports == [53, 53, 9092]
    without = rendered(*MINIMAL, CAMERAS, "networkPolicies.enabled=false")
    assert not of_kind(without, "NetworkPolicy")


def test_nothing_stays_of_a_hook_that_went_well_but_the_log_of_the_test(
    objects: Sequence[Object],
) -> None:
    hooks = [each for each in objects if _hook(each)]
    staying = [each for each in hooks if "hook-succeeded" not in _hook(each, "hook-delete-policy")]
    assert [(each["kind"], each["metadata"]["name"]) for each in staying] == [("Pod", "site-test")]
    assert all("before-hook-creation" in _hook(each, "hook-delete-policy") for each in hooks)


def test_cameras_are_those_of_the_release_after_a_rollback_too(objects: Sequence[Object]) -> None:
    hooks = _hook(named(objects, "Job", "site-cameras"))
    assert hooks == "post-install,post-upgrade,post-rollback"


def test_a_job_with_a_bad_configuration_fails_at_once_and_any_before_helm_gives_up(
    objects: Sequence[Object],
) -> None:
    for job in of_kind(objects, "Job"):
        (rule,) = job["spec"]["podFailurePolicy"]["rules"]
        assert rule == {
            "action": "FailJob",
            "onExitCodes": {"operator": "In", "values": [EXIT_CONFIG]},
        }
        assert job["spec"]["activeDeadlineSeconds"] < 300


def test_an_artefact_is_whole_after_a_copy_that_was_cut_off(
    objects: Sequence[Object], tmp_path: Path
) -> None:
    source, there = tmp_path / "image", tmp_path / "artefact"
    (source / "openvino").mkdir(parents=True)
    for name in ("manifest.json", "openvino/model.bin"):
        (source / name).write_text(f"all of {name}")
        (source / name).chmod(0o444)
    for name in ("site-segment", "site-web"):
        (init,) = pods(objects)[name]["initContainers"]
        command = [_here(each, source, there) for each in init["command"]]
        subprocess.run(command, check=True)
        (there / "manifest.json").unlink()
        (there / "openvino" / "model.bin").chmod(0o644)
        (there / "openvino" / "model.bin").write_text("all")
        (there / "openvino" / "model.bin").chmod(0o444)
        subprocess.run(command, check=True)
        found = {str(each.relative_to(there)) for each in there.rglob("*") if each.is_file()}
        assert found == {"manifest.json", "openvino/model.bin"}
        assert all((there / each).read_text() == f"all of {each}" for each in found)


def _here(argument: str, source: Path, there: Path) -> str:
    """An argument of `cp`, with a folder here for those of the pod."""
    for old, new in {"/models/artefact": there, "/artefact": source}.items():
        if argument.startswith(old):
            return argument.replace(old, str(new), 1)
    return argument
