"""``maskstream run`` while its configuration is edited."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stream import codec
from stream.cli.bench.clips import beginning
from stream.errors import EXIT_OK
from tests.support import build
from tests.support.roles import DATA, MODEL, deployment
from tests.support.waiting import wait_until

FRAMES = 40


def results(path: Path) -> Counter[str]:
    """How many results each camera has so far."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = (json.loads(line) for line in lines if line.endswith("}"))
    return Counter(each["camera"] for each in found if each["type"] == "result")


def epochs(path: Path, camera: str) -> list[str]:
    """How each epoch of a camera that plays without an end was closed."""
    found = map(json.loads, path.read_text().splitlines())
    return [x["reason"] for x in found if x["type"] == "epoch-closed" and x["camera"] == camera]


def test_a_run_takes_over_what_is_edited_and_keeps_it_where_an_edit_is_bad(
    tmp_path: Path,
) -> None:
    clip = str(beginning(DATA / "yard.mp4", FRAMES, tmp_path))
    config, out = tmp_path / "run.yaml", tmp_path / "results.jsonl"

    def write(*cameras: str, rules: Sequence[Any] = (), **more: Any) -> None:
        listed = [{"id": each, "url": clip, "loop": True, "fps": 2, **more} for each in cameras]
        outputs = {"results": str(out)}
        document = {"model": MODEL, "cameras": listed, "rules": rules, "outputs": outputs}
        config.write_text(json.dumps(document))

    write("yard")
    command = [sys.executable, "-c", "from stream.cli import main; main()", "run", str(config)]
    log = tmp_path / "log"
    with log.open("wb") as err:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err)
    try:
        wait_until(lambda: results(out)["yard"] > 0, "the first camera is seen")
        write("yard", "dock")
        wait_until(lambda: results(out)["dock"] > 0, "the second camera is seen")
        write("yard", "dock", rules=[{"id": "anybody", "kind": "presence", "camera": "yard"}])
        wait_until(lambda: "rules added: anybody" in log.read_text(), "the rule is taken")
        write("gate", fpss=3)
        wait_until(lambda: "did you mean fps?" in log.read_text(), "the fault is told")
        write("yard")
        seen = results(out)["yard"]
        wait_until(lambda: "stopped" in epochs(out, "dock"), "the second camera is closed")
        wait_until(lambda: results(out)["yard"] > seen, "the first goes on")
        assert "stopped" not in epochs(out, "yard")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == EXIT_OK
    finally:
        process.kill()
    assert results(out)["gate"] == 0


@pytest.mark.parametrize("host", ["watch", "watch --host faust"])
def test_a_watcher_takes_over_rules_and_keeps_them_where_an_edit_is_bad(
    tmp_path: Path, kafka: str, host: str
) -> None:
    with deployment(tmp_path, kafka) as deployed:
        (watch,) = deployed.start(host)
        assert "no notify: its alerts are on the topic alerts only" in watch.text()
        anybody = {"id": "anybody", "kind": "presence", "camera": "yard", "frames": 1}
        deployed.configure(rules=[anybody])
        wait_until(lambda: "rules added: anybody" in watch.text(), "the rule is taken")
        wait_until(lambda: "rule anybody: no notify: " in watch.text(), "the doubt is told")
        deployed.configure(rules=[{**anybody, "camera": "yrd"}])
        wait_until(lambda: "did you mean yard?" in watch.text(), "the fault is told")
        assert watch.metric("reloads_total", outcome="refused") == 1
        deployed.configure(rules=[anybody])
        deployed.write("masks", [codec.encode(build.result(0, "yard", build.instance()))])
        wait_until(lambda: deployed.records("alerts") == 1, "the rule that was taken opens")
        (alert,) = deployed.seen().alerts
        assert (alert.rule, alert.state) == ("anybody", "opened")
        said = f"alert {alert.id} opened: anybody (presence: person) of camera yard"
        wait_until(lambda: said in watch.text(), "the log tells of it")


def test_notify_takes_over_rules_too(tmp_path: Path, kafka: str) -> None:
    """It draws their zones, and makes the clips that they ask for."""
    with deployment(tmp_path, kafka) as deployed:
        (notify,) = deployed.start("notify")
        assert "no notify: its alerts are on the topic alerts only" in notify.text()
        deployed.configure(rules=[{"id": "anybody", "kind": "presence", "camera": "yard"}])
        wait_until(lambda: "rules added: anybody" in notify.text(), "the rule is taken")
