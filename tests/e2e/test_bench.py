"""The benchmarks on Kafka, on cameras and on cards still measure what they name."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.required import require
from tests.support.rtsp import STAMP, pack, rtsp_server

ROOT = Path(__file__).parents[2]


def figures(folder: Path, group: str, *more: str) -> dict[str, Any]:
    """What ``maskstream bench GROUP --quick`` writes."""
    path = folder / "figures.json"
    done = subprocess.run(
        [
            sys.executable, "-c", "from stream.cli import main; main()",
            "bench", group, "--quick", *more, "--json", str(path), "--plots", str(folder),
        ],
        check=False, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_what_it_costs_to_be_looked_at_is_measured(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "web", "--kafka", kafka)
    for page in ("page", "page_kafka"):
        assert 0 < found[f"web.{page}_core_share"] < 2
        assert 0 < found[f"web.{page}_slowest_fps"] < 10
    assert 0 < found["api.vs_model"] < 2
    assert "observability.overhead" in found
    assert (tmp_path / "api.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_kafka_is_compared_with_one_process(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "kafka", "--kafka", kafka)
    assert found.keys() == {"kafka.vs_embedded", "kafka.vs_jpeg"}
    assert 0 < found["kafka.vs_embedded"] < 2
    assert (tmp_path / "kafka.png").exists()


@pytest.mark.long
@pytest.mark.slow
def test_the_transport_is_measured_alone(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "transport", "--kafka", kafka)
    assert found.keys() == {"kafka.transport_frames_per_s"}
    assert found["kafka.transport_frames_per_s"] > 0


@pytest.mark.long
@pytest.mark.slow
def test_scale_out_latency_and_pauses_are_measured(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "scale-out", "--kafka", kafka)
    assert found["scale.efficiency_1"] == 1
    assert 0 < found["scale.efficiency_2"] < 2
    assert 0 < found["latency.kafka_p99_ms"] < 60_000
    assert found["rebalance.pause_s"] > 0
    assert (tmp_path / "scale_out.png").exists()


@pytest.mark.long
@pytest.mark.slow
def test_a_takeover_of_cameras_is_measured(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "registry", "--kafka", kafka)
    assert 0 < found["registry.takeover_s"] < 60


@pytest.mark.slow
def test_the_cost_of_rules_is_measured_pure_and_on_both_hosts(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "rules", "--kafka", kafka)
    hosts = ("results", "hosted_results", "faust_results")
    assert all(found[f"rules.{each}_per_s_per_core"] > 0 for each in hosts)
    assert found["rules.overlaps_vs_bitmaps"] > 0
    assert (tmp_path / "rules.png").exists()


@pytest.mark.slow
def test_the_way_from_a_result_to_its_webhook_is_measured(tmp_path: Path, kafka: str) -> None:
    found = figures(tmp_path, "alerts", "--kafka", kafka)
    assert 0 < found["alerts.masks_to_webhook_p50_ms"] <= found["alerts.masks_to_webhook_p99_ms"]
    assert (tmp_path / "alerts.png").exists()


@pytest.mark.slow
def test_cameras_on_the_network_are_measured(tmp_path: Path, shared: Path) -> None:
    with rtsp_server() as server:
        clip = shared / "video" / "one-by-one-person-detection.mp4"
        server.add("/people", file=pack(clip, tmp_path / "packets"))
        url = server.add("/stamp", stamp=STAMP)
        found = figures(tmp_path, "ingest", "--rtsp", url.split("/")[2])
    assert 0 < found["ingest.first_frame_s"] < 60
    assert 0 < found["ingest.capture_to_frames_p99_ms"] < 60_000
    assert found["ingest.cameras_2_cores"] in {0, 10}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_batches_are_measured_without_a_card_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = find_spec("torch") is not None and find_spec("ultralytics") is not None
    require("segment", present, "torch and ultralytics are not installed: the segment extra")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = figures(tmp_path, "gpu")
    assert found.pop("gpu.card") == "cpu"
    names = ("vs_ultralytics", "frames_per_s", "p99_ms", "cores_per_1000")
    assert found.keys() == {f"gpu.{name}" for name in names}
    assert all(value > 0 for value in found.values())
    assert (tmp_path / "gpu-yolov8n-seg-640x384.png").exists()
