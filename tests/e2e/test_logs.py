"""What roles say on stderr, as programs and as people read it."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from stream.cli.bench.clips import beginning
from stream.errors import EXIT_CONFIG, EXIT_OK, EXIT_SOFTWARE
from tests.support.required import require

DATA = Path(str(files("connectors.demo").joinpath("data")))
PAGE = Path(__file__).parents[2] / "docs" / "logs-and-traces.md"
MASKSTREAM = [sys.executable, "-c", "from stream.cli import main; main()"]
CONFIG = """\
model: {{weights: {data}/yard-seg, precision: f32, image_size: 128}}
cameras:
  - {{id: yard, url: {clip}, mode: archive}}
  - {{id: hall, url: {clip}, mode: archive}}
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    clip = beginning(DATA / "yard.mp4", 5, folder)
    path = folder / "yard.yaml"
    path.write_text(CONFIG.format(data=DATA, clip=clip))
    return path


@pytest.fixture(scope="module")
def said(config: Path) -> list[dict[str, Any]]:
    """What a run says to a program."""
    done = subprocess.run(
        [*MASKSTREAM, "run", config], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == EXIT_OK, done.stderr
    return lines(done.stderr)


def test_each_line_is_an_object_that_says_when_how_grave_and_by_whom(
    said: list[dict[str, Any]],
) -> None:
    assert said
    for each in said:
        assert [*each][:4] == ["time", "level", "event", "logger"]
        assert each["time"].endswith("Z")
        assert datetime.fromisoformat(each["time"]).utcoffset() == timedelta(0)
        assert each["level"] == "info"


def test_the_commands_of_the_page_find_a_camera_and_an_alert(
    said: list[dict[str, Any]], tmp_path: Path
) -> None:
    require("kcat", shutil.which("jq") is not None, "no jq; tests/setup/kcat.sh installs it")
    log = tmp_path / "ingest.log"
    log.write_text("".join(json.dumps(each) + "\n" for each in said))
    (ended,) = [each for each in said if each["event"] == "camera hall: ended"]
    ended = {**ended, "role": "notify", "alert": "5b37b9d7c1de4a0c93b1f2ee"}
    (tmp_path / "notify.log").write_text(json.dumps(ended))
    of_camera, of_alert, short = (
        subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        for command in (
            each.replace("tail -f watch", "cat ingest").replace("watch", "ingest")
            for each in re.findall(r"```sh\n(.*jq .*)\n```", PAGE.read_text())
        )
    )
    assert [re.sub(r"^\S+", "", line) for line in of_camera.stdout.splitlines()] == [
        f" info camera hall: {state}" for state in ("connecting", "live", "ended")
    ]
    assert of_alert.stdout.endswith(" notify camera hall: ended\n")
    assert len(of_alert.stdout.splitlines()) == 1
    assert len(short.stdout.splitlines()) == len(said)
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[info\] .*", short.stdout.splitlines()[0])


def test_what_is_said_of_a_camera_names_it_and_the_role(said: list[dict[str, Any]]) -> None:
    for camera in ("yard", "hall"):
        of_it = [each for each in said if each.get("camera") == camera]
        assert [each["event"] for each in of_it] == [
            f"camera {camera}: {state}" for state in ("connecting", "live", "ended")
        ]
        assert {each["role"] for each in of_it} == {"ingest"}
    (of_all,) = (each for each in said if "cameras that run here" in each["event"])
    assert (of_all["role"], of_all.get("camera")) == ("ingest", None)


SCRIPT = """\
import asyncio, logging, threading, warnings
from stream import tracing
from stream.cli.logs import logged
from stream.context import about
from tests.support.spans import Kept

log, other = logging.getLogger("stream.watch"), logging.getLogger("aiokafka")

async def work(camera):
    with about(camera=camera):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(log.info, "in a thread"))
        with about(alert="a1"):
            log.info("inside")
    log.info("outside")

with logged("watch"):
    asyncio.run(work("hall"))
    with tracing.traced_by(Kept()), tracing.within(tracing.first("ingest", 1)):
        log.info("in a trace")
    for number in range(3):
        other.warning("no node %d", number)
        log.warning("no node %d", number)
    other.info("not said")
    thread = threading.Thread(target=lambda: 1 / 0, name="reader")
    thread.start()
    thread.join()
    warnings.warn("going away", UserWarning)
    warnings.warn("gone", UserWarning)
    log.info('a "b" \\n \\x1b[31m ü \\ud800')
    {}["key"]
"""


@pytest.fixture(scope="module")
def spoken() -> list[dict[str, Any]]:
    """What a role says of work that it does not understand, up to its bad end."""
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == EXIT_SOFTWARE
    return lines(done.stderr)


def test_what_was_not_caught_is_the_last_line_with_its_traceback(
    spoken: list[dict[str, Any]],
) -> None:
    line = spoken[-1]
    assert (line["level"], line["event"], line["role"]) == ("error", "an internal error", "watch")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("KeyError: 'key'")


def test_a_thread_that_fails_and_a_warning_come_in_the_same_form(
    spoken: list[dict[str, Any]],
) -> None:
    (failed,) = (each for each in spoken if each["event"] == "thread reader failed")
    assert failed["exception"].endswith("ZeroDivisionError: division by zero")
    going, gone = (each for each in spoken if each["logger"] == "py.warnings")
    assert "UserWarning: going away" in going["event"]
    assert "UserWarning: gone" in gone["event"]


def test_others_say_the_same_once_in_a_while_and_we_say_all(spoken: list[dict[str, Any]]) -> None:
    said = [(each["logger"], each["event"]) for each in spoken if "no node" in each["event"]]
    ours = [("stream.watch", f"no node {number}") for number in range(3)]
    assert said == [("aiokafka", "no node 0"), *ours]
    assert not [each for each in spoken if each["event"] == "not said"]


def test_what_work_is_about_follows_it_into_its_tasks_and_threads(
    spoken: list[dict[str, Any]],
) -> None:
    about = [(each["event"], each.get("camera"), each.get("alert")) for each in spoken[:3]]
    assert about == [
        ("in a thread", "hall", None), ("inside", "hall", "a1"), ("outside", None, None),
    ]  # fmt: skip


def test_what_is_said_of_a_frame_that_is_traced_names_its_trace(
    spoken: list[dict[str, Any]],
) -> None:
    traced = [(each["event"], each["trace_id"]) for each in spoken if "trace_id" in each]
    assert traced == [("in a trace", f"{1:032x}")]


def test_whatever_is_said_stays_one_object_a_line(spoken: list[dict[str, Any]]) -> None:
    assert spoken[-2]["event"] == 'a "b" \n \x1b[31m ü \ud800'


def test_a_bad_configuration_is_one_line_too(tmp_path: Path, config: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(config.read_text().replace("mode: archive", "fpss: 10"))
    done = subprocess.run(
        [*MASKSTREAM, "run", bad], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == EXIT_CONFIG
    (line,) = lines(done.stderr)
    assert "exception" not in line
    faults = line["event"].splitlines()
    assert [each.partition(": ")[2].partition(".")[0] for each in faults] == [
        "cameras[0]", "cameras[1]",
    ]  # fmt: skip


def on_a_terminal(*command: str | Path) -> str:
    """What a command says where stderr is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*command], stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    told = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # nobody has the other end any more
            break
        told += chunk
    os.close(ours)
    process.wait(60)
    return told.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_the_demo_says_each_alert_on_the_terminal_as_it_opens_and_resolves() -> None:
    """That is what shows a newcomer that rules work; the bar of the run stays below."""
    ours, theirs = pty.openpty()
    command = [*MASKSTREAM, "demo", "--port", "0"]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    told, deadline_s = "", time.monotonic() + 60
    try:
        while not re.search(r"resolved after .*\n", told) and time.monotonic() < deadline_s:
            told += os.read(ours, 4096).decode(errors="replace")
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # nobody has the other end any more
            while os.read(ours, 4096):
                pass
        os.close(ours)
        process.wait(60)
    assert "segmenting" in told
    seen = re.sub(r"[^\n]*\x1b\[2K", "", told)  # what was on the line is erased: the bar
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    alert = r"^\d\d:\d\d:\d\d \[info\] alert [0-9a-f]{24} "
    what = r": person-inside \(presence: person\) in zone loading of camera yard"
    assert re.search(rf"{alert}opened{what}", plain, re.MULTILINE), plain
    assert re.search(rf"{alert}resolved after \S+ s{what}", plain, re.MULTILINE), plain


def test_on_a_terminal_it_is_a_short_coloured_line(config: Path) -> None:
    told = on_a_terminal(*MASKSTREAM, "run", config)
    assert "\x1b[" in told
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    assert re.search(
        r"^\d\d:\d\d:\d\d \[info\] camera yard: live role=ingest camera=yard$", plain, re.MULTILINE
    ), plain


def test_no_variable_of_ours_is_shown_with_an_error() -> None:
    """Whoever writes tracebacks for people likes to show them, and one may be a password."""
    program = (
        "from stream.cli.logs import logged\n"
        "def log_in(password): raise KeyError('user')\n"
        "with logged('ingest'): log_in('hunter' + str(1 + 1))\n"
    )
    told = on_a_terminal(sys.executable, "-c", program)
    assert "KeyError" in told
    assert "hunter2" not in told
