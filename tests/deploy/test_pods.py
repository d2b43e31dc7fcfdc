"""The kubelet of these tests does as a kubelet does."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pods import Pod
from tests.support.probing import Tally
from tests.support.sandbox import require_sandbox
from tests.support.volumes import Objects
from tests.support.waiting import wait_until

MOUNTS = [
    {"name": "config", "mountPath": "/etc/maskstream", "readOnly": True},
    {"name": "secret", "mountPath": "/run/secrets/web", "readOnly": True},
    {"name": "tmp", "mountPath": "/tmp"},
    {"name": "models", "mountPath": "/models", "readOnly": True},
]


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    require_sandbox()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.xml").write_text("a network")
    token = base64.b64encode(b"a token").decode()
    found = Objects(claims={"models": tmp_path / "models"})
    found.take(
        [
            {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"c.yaml": "at 0.0.0.0"}},
            {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": token}},
        ]
    )
    return found


def pod(folder: Path, objects: Objects, script: str, **spec: Any) -> Pod:
    """A pod whose container runs a script of a shell."""
    volumes = [
        {"name": "config", "configMap": {"name": "c"}},
        {"name": "secret", "secret": {"secretName": "s", "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "models", "persistentVolumeClaim": {"claimName": "models"}},
    ]
    main = container(["sh", "-c", script], env=[{"name": "A", "value": "b"}])
    inner = {"containers": [main], "volumes": volumes, "restartPolicy": "Never", **spec}
    made = folder / "pod"
    made.mkdir()
    return Pod("p-0", "127.1.2.3", {"spec": inner}, objects, made)


def container(command: Sequence[str], **more: Any) -> Mapping[str, Any]:
    security = {"readOnlyRootFilesystem": True}
    return {
        "name": "main", "command": command, "volumeMounts": MOUNTS, "securityContext": security,
        **more,
    }  # fmt: skip


def test_a_container_has_what_its_manifest_says_and_no_more(
    tmp_path: Path, objects: Objects
) -> None:
    first = {**container(["sh", "-c", "echo first > /tmp/first"]), "name": "init"}
    script = """
        cat /tmp/first /etc/maskstream/c.yaml /run/secrets/web/token /models/model.xml; echo
        echo "user $(id -u):$(id -g), process $$, A $A, HOME $HOME"
        touch /anywhere || touch /models/anything || touch /tmp/here && echo wrote; exit 3
    """
    made = pod(tmp_path, objects, script, initContainers=[first])
    made.join()
    lines = made.log.splitlines()
    assert "first" in lines
    assert "at 127.1.2.3a tokena network" in lines
    assert "user 65532:65532, process 1, A b, HOME /" in lines
    assert sum("Read-only file system" in line for line in lines) == 2
    assert "wrote" in lines
    assert [(end.code, end.why) for end in made.exits] == [(3, "by itself")]


def test_who_does_not_go_when_asked_is_killed_once_its_time_is_over(
    tmp_path: Path, objects: Objects
) -> None:
    script = "trap '' TERM; echo begun; sleep 1000 & wait; wait"
    made = pod(tmp_path, objects, script, terminationGracePeriodSeconds=1)
    wait_until(lambda: "begun" in made.log, "it has begun")
    made.delete()
    made.wait_gone()
    (end,) = made.exits
    assert (end.code, end.was_killed, end.why) == (137, True, "deleted")


@given(st.lists(st.booleans()), st.integers(1, 4), st.integers(1, 4))
def test_a_verdict_is_what_enough_answers_in_a_row_say(
    answers: list[bool], good: int, bad: int
) -> None:
    tally = Tally(good, bad)
    verdicts = [tally.add(each) for each in answers]
    for at, verdict in enumerate(verdicts):
        needed = good if answers[at] else bad
        row = answers[max(0, at + 1 - needed) : at + 1]
        assert (verdict == answers[at]) == (len(row) == needed and set(row) == {answers[at]})
