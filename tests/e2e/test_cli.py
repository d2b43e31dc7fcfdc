"""The commands as a user types them, on the film and the model that the project ships."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from stream.cli.bench.clips import beginning
from stream.codec import to_json
from stream.errors import (
    EXIT_CONFIG,
    EXIT_DIFFERENT,
    EXIT_OK,
    EXIT_SOFTWARE,
    EXIT_UNAVAILABLE,
)
from stream.types import Gap
from tests.support.receiver import DOWN, SECRET, UP, receiver
from tests.support.waiting import wait_until

DATA = Path(str(files("connectors.demo").joinpath("data")))
FRAMES = 60
CONFIG = """\
transport: memory://
model: {{weights: {model}, precision: f32, image_size: 416, confidence: 0.4}}
cameras:
  - {{id: yard, url: {clip}, mode: {mode}}}
zones:
  - {{id: ground, camera: yard, polygon: [[0, 0.4], [1, 0.4], [1, 1], [0, 1]]}}
rules:
  - {{id: somebody, kind: presence, zone: ground, labels: [person], frames: 3}}
outputs: {{results: out/results.jsonl, video: out/annotated.mp4}}
"""


def maskstream(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from stream.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration over the film's first frames, already run."""
    folder = tmp_path_factory.mktemp("yard")
    clip = beginning(DATA / "yard.mp4", FRAMES, folder)
    path = folder / "yard.yaml"
    path.write_text(CONFIG.format(model=DATA / "yard-seg", clip=clip, mode="archive"))
    done = maskstream("run", path)
    assert done.returncode == EXIT_OK, done.stderr
    (folder / "table.txt").write_text(done.stdout + done.stderr)
    return path


def lines(config: Path) -> list[dict[str, object]]:
    text = (config.parent / "out" / "results.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_answers_every_frame_of_a_file(config: Path) -> None:
    results = [line for line in lines(config) if line["type"] == "result"]
    assert [result["seq"] for result in results] == list(range(FRAMES))
    assert any(result["instances"] for result in results)


def test_the_results_begin_and_end_with_their_epoch(config: Path) -> None:
    first, *_, last = lines(config)
    assert (first["type"], last["type"]) == ("epoch-opened", "epoch-closed")
    assert last["frames"] == FRAMES


def test_workers_are_for_kafka_at_most_one_for_each_partition(config: Path) -> None:
    done = maskstream("segment", "--workers", "2", config)
    assert done.returncode == EXIT_CONFIG
    assert "transport: given memory://; allowed: kafka://host:port" in done.stderr
    on_kafka = config.with_name("kafka.yaml")
    text = config.read_text().replace("memory://", "kafka://127.0.0.1:9").partition("outputs")[0]
    on_kafka.write_text(f"{text}kafka: {{partitions: 4}}\n")
    for given in ("-1", "0", "5"):
        done = maskstream("segment", "--workers", given, on_kafka)
        assert done.returncode == EXIT_CONFIG
        assert f"--workers: given {given}; allowed: 1 to 4, the kafka.partitions" in done.stderr


def test_a_run_ends_in_a_table(config: Path) -> None:
    table = (config.parent / "table.txt").read_text()
    for row in ("frames offered", "results", "gaps", "dead letters", "alerts opened", "rate"):
        assert row in table
    assert "arrival to result p50 / p99" in table
    assert "nothing missing" in table


def test_a_run_says_each_alert_as_it_opens_and_what_became_of_them_at_the_end(
    config: Path,
) -> None:
    said = (config.parent / "table.txt").read_text()
    what = r"somebody \(presence: person\) in zone ground of camera yard"
    opened = re.findall(rf"alert [0-9a-f]{{24}} opened: {what}", said)
    resolved = re.findall(rf"alert [0-9a-f]{{24}} resolved after \S+ s: {what}", said)
    assert opened
    left = len(opened) - len(resolved)
    row = f"{len(opened)} opened, {len(resolved)} resolved, {left} still open"
    assert re.search(rf"^alerts: somebody +{row}$", said, re.MULTILINE)


def test_the_annotated_video_has_every_frame(config: Path) -> None:
    import av

    with av.open(str(config.parent / "out" / "annotated.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES


def test_the_audit_of_a_run_passes(config: Path) -> None:
    done = maskstream("audit", config)
    assert done.returncode == EXIT_OK, done.stdout
    assert "complete" in done.stdout


def test_the_audit_cuts_nothing_where_it_is_kept(tmp_path: Path) -> None:
    """In a file or a pipe nobody's window is narrow."""
    results = tmp_path / "results.jsonl"
    camera = "north-entrance-of-the-old-warehouse-behind-the-railway-station"
    gap = Gap(camera, 1_800_000_000_000_000, 0, 123_456, 1_800_000_000_000_000, "stale")
    results.write_bytes(to_json(gap) + b"\n")
    row = maskstream("audit", results).stdout.splitlines()[2]
    assert row.split()[0] == f"{camera}/1800000000000000"
    assert row.endswith(" unclosed tail")


def test_the_audit_fails_when_a_line_is_taken_out(config: Path, tmp_path: Path) -> None:
    kept = [line for line in lines(config) if line.get("seq") != 7]
    damaged = tmp_path / "results.jsonl"
    damaged.write_text("".join(json.dumps(line) + "\n" for line in kept))
    done = maskstream("audit", damaged)
    assert done.returncode == EXIT_DIFFERENT
    assert "1" in done.stdout


def test_replaying_results_gives_the_same_alerts_each_time(config: Path, tmp_path: Path) -> None:
    expected = tmp_path / "alerts.jsonl"
    first = maskstream("rules", "test", config, "--json", expected)
    assert "somebody" in first.stdout
    assert '"state":"opened"' in expected.read_text()
    again = maskstream("rules", "test", config, "--expect", expected)
    assert again.returncode == EXIT_OK, again.stderr


def test_a_replay_that_differs_says_how_many_alerts_came_and_which(
    config: Path, tmp_path: Path
) -> None:
    expected = tmp_path / "alerts.jsonl"
    expected.write_text("")
    results = config.parent / "out" / "results.jsonl"
    done = maskstream("rules", "test", config, results, "--expect", expected)
    assert done.returncode == EXIT_DIFFERENT
    first, second = done.stderr.splitlines()
    assert first == "rule somebody, camera yard: 0 alerts expected, 1 found"
    assert second.endswith(": new")


def test_a_replay_draws_when_alerts_were_open(config: Path, tmp_path: Path) -> None:
    picture = tmp_path / "alerts.png"
    done = maskstream("rules", "test", config, "--timeline", picture)
    assert done.returncode == EXIT_OK, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_check_prints_the_settings_that_will_be_used(config: Path) -> None:
    done = maskstream("check", config)
    assert done.returncode == EXIT_OK
    assert "max_age" in done.stdout


def test_check_and_run_warn_of_alerts_that_no_endpoint_is_told_of(config: Path) -> None:
    doubt = f"{config}:8: rules[0]: rule somebody: no notify: "
    done = maskstream("check", config)
    assert (done.returncode, done.stderr.count("\n")) == (EXIT_OK, 1)
    assert done.stderr.startswith(f"warning: {doubt}")
    said = (config.parent / "table.txt").read_text()
    assert json.dumps(doubt)[1:-1] in said


def test_check_refuses_a_store_that_cannot_be_made(config: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a folder")
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"{config.read_text()}evidence: {{store: notes/evidence}}\n")
    done = maskstream("check", bad)
    assert done.returncode == EXIT_CONFIG
    assert "bad.yaml:10: evidence.store: given " in done.stderr


def test_a_bad_configuration_exits_78_and_names_the_line(config: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(config.read_text().replace("mode: archive", "fpss: 10"))
    done = maskstream("run", bad)
    assert done.returncode == EXIT_CONFIG
    assert "bad.yaml:4: cameras[0].fpss: unknown key, did you mean fps?" in done.stderr
    assert "Traceback" not in done.stderr


def test_alerts_are_sent_again_on_kafka_only(config: Path) -> None:
    done = maskstream("alerts", "replay", config)
    assert done.returncode == EXIT_CONFIG
    assert "transport: given memory://; allowed: kafka://host:port" in done.stderr


def test_an_endpoint_that_takes_no_test_alert_fails_the_command(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    with receiver(UP) as ops:
        tried = tmp_path / "tried.yaml"
        endpoint = (
            f"{{id: ops, url: '{ops.url}', secret: {{env: OPS_SECRET}}, allow_private: true}}"
        )
        tried.write_text(f"{config.read_text()}endpoints: [{endpoint}]\n")
        taken = maskstream("alerts", "try", tried, "ops")
        ops.status = DOWN
        refused = maskstream("alerts", "try", tried, "ops")
    assert (taken.returncode, taken.stderr) == (EXIT_OK, "")
    assert "resolved: taken: 200 OK" in taken.stdout
    assert refused.returncode == EXIT_DIFFERENT
    assert "503 Service Unavailable" in refused.stderr


def test_a_clip_that_is_not_there_is_refused_before_old_results_are_touched(
    config: Path, tmp_path: Path
) -> None:
    old = tmp_path / "out" / "results.jsonl"
    old.parent.mkdir()
    old.write_text("what the last run found")
    lost = tmp_path / "lost.yaml"
    lost.write_text(config.read_text().replace(f"yard-{FRAMES}.mp4", "gone.mp4"))
    done = maskstream("run", lost)
    assert done.returncode == EXIT_CONFIG
    assert "lost.yaml:4: cameras[0].url: " in done.stderr
    assert "gone.mp4" in done.stderr
    assert old.read_text() == "what the last run found"


def test_a_camera_that_fails_ends_the_run_with_its_reason(config: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    text = CONFIG.format(model=DATA / "yard-seg", clip=tmp_path / "text.mp4", mode="archive")
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    done = maskstream("run", broken)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "camera yard" in done.stderr
    assert "no camera was opened" in done.stdout


def test_a_disk_that_is_full_ends_the_run_and_is_named(config: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.yaml"
    clip = next(config.parent.glob("*.mp4"))
    text = CONFIG.format(model=DATA / "yard-seg", clip=clip, mode="archive")
    full.write_text(text.replace("out/results.jsonl", "/dev/full"))
    done = maskstream("run", full)
    assert done.returncode == EXIT_CONFIG
    assert "/dev/full: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--camera", "street.mp4"], "--camera and --model go together"),
        (["--model", "yard-seg"], "--camera and --model go together"),
        (["--precision", "f32"], "--precision is for the model that --model names"),
        (
            ["--model", DATA / "yard-seg", "--camera", "http://user:hunter2@10.0.0.9/a.mp4"],
            "--camera: given http://***@10.0.0.9/a.mp4; allowed: a file, rtsp://…, rtsps://…",
        ),
        (
            ["--model", DATA / "yard-seg", "--camera", "rtsp://user:hunter2@127.0.0.1/hall"],
            "--camera: given rtsp://***@127.0.0.1/hall; credentials inside a URL are refused; name "
            "them with credentials: …, in a configuration for maskstream run",
        ),
    ],
)
def test_the_demo_refuses_what_it_cannot_show(options: list[str | Path], said: str) -> None:
    done = maskstream("demo", *options)
    assert done.returncode == EXIT_CONFIG
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_plays_somebodys_own_file_once(config: Path) -> None:
    clip = next(config.parent.glob("*.mp4"))
    own = ("--model", DATA / "yard-seg", "--camera", f"file://{clip}")
    done = maskstream("demo", *own, "--once", "--port", "0")
    assert done.returncode == EXIT_OK, done.stderr
    assert "live page: http://127.0.0.1:" in done.stdout
    assert "nothing missing" in done.stdout
    assert "camera camera: live" in done.stderr


def test_a_fault_of_ours_is_no_failed_check(config: Path) -> None:
    program = (
        "import stream.cli.documents as documents\n"
        "documents.load = lambda path: 1 / 0\n"
        "import sys; sys.argv[1:] = ['check', sys.argv[1]]\n"
        "from stream.cli import main; main()\n"
    )
    command = [sys.executable, "-c", program, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_SOFTWARE
    assert "ZeroDivisionError" in done.stderr


def test_a_signal_drains_and_leaves_nothing_missing(config: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    clip = next(config.parent.glob("*.mp4"))
    live.write_text(CONFIG.format(model=DATA / "yard-seg", clip=clip, mode="live, loop: true"))
    command = [sys.executable, "-c", "from stream.cli import main; main()", "run", str(live)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    results = tmp_path / "out" / "results.jsonl"
    wait_until(
        lambda: results.exists() and results.read_text().count('"type":"result"') > 5,
        "the first results are written",
    )
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == EXIT_OK, err
    assert "nothing missing" in out + err
    assert json.loads(results.read_text().splitlines()[-1])["reason"] == "stopped"
    assert maskstream("audit", results).returncode == EXIT_OK


def test_help_names_the_exit_codes() -> None:
    done = maskstream("--help")
    assert "78 bad configuration" in " ".join(done.stdout.split())  # wrapped as it fits
    assert "75 drain timed out" in " ".join(done.stdout.split())


def test_the_plain_pipeline_never_loads_torch(config: Path) -> None:
    program = (
        "import sys; sys.argv[1:] = ['run', sys.argv[1]]\n"
        "from stream.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert 'torch' not in sys.modules and 'openvino' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(config)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == EXIT_OK, done.stderr
