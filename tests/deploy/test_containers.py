"""maskstream at work in containers of the images."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.images import GIVEN, NAMES, Image, require_image
from tests.support.kafka import free_ports
from tests.support.roles import DATA, ROOT
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.images, pytest.mark.timeout(1200)]

DEMO = "/opt/maskstream/demo"
"""Where the images have the demo's artefact and film."""
MODEL = {
    "weights": f"{DEMO}/yard-seg", "backend": "openvino", "precision": "f32", "image_size": 416,
}  # fmt: skip
CAMERA = {"id": "yard", "url": f"{DEMO}/yard.mp4", "mode": "archive", "fps": 2}
RESULTS = "/tmp/results.jsonl"
ROLES = ("ingest", "segment", "watch", "notify", "web")


@pytest.fixture(params=NAMES)
def image(request: pytest.FixtureRequest) -> Image:
    return require_image(request.param)


def configure(path: Path, **sections: Any) -> None:
    document = {"transport": "memory://", "model": MODEL, "cameras": [CAMERA], **sections}
    path.write_text(json.dumps(document))


def run_of(image: Image, given: Path, before: str = "true") -> str:
    """The results file of a ``run`` in a container."""
    script = f"{before} >&2 && maskstream run {GIVEN}/config.yaml >&2 && cat {RESULTS}"
    done = image.run(given, "sh", "-c", script, timeout_s=1000)
    assert done.returncode == 0, done.stderr
    return done.stdout


def masks(results: str) -> list[tuple[int, list[tuple[str, str]]]]:
    """Of each result its number, labels and masks."""
    found = [json.loads(line) for line in results.splitlines()]
    return [
        (each["seq"], [(one["label"], json.dumps(one["mask"])) for one in each["instances"]])
        for each in found
        if "instances" in each
    ]


def test_a_container_prints_help_and_checks_a_configuration(image: Image, given: Path) -> None:
    assert "ingest" in image.maskstream(given, *image.config["Cmd"]).stdout
    configure(given / "config.yaml")
    checked = image.maskstream(given, "check", f"{GIVEN}/config.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "yard" in checked.stdout


def test_a_container_can_write_to_tmp_alone(image: Image, given: Path) -> None:
    script = "id -u; id -G; touch /tmp/file && ! touch /opt/maskstream/file && ! touch /file"
    done = image.run(given, "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, "65532\n65532\n"), done.stderr
    assert "Read-only file system" in done.stderr


def test_masks_of_a_film_are_those_of_this_environment(
    image: Image, given: Path, tmp_path: Path
) -> None:
    configure(given / "config.yaml", outputs={"results": RESULTS})
    here = tmp_path / "here.yaml"
    configure(
        here,
        outputs={"results": str(tmp_path / "results.jsonl")},
        model={**MODEL, "weights": str(DATA / "yard-seg")},
        cameras=[{**CAMERA, "url": str(DATA / "yard.mp4")}],
    )
    script = "from stream.cli import main; main()"
    words = [sys.executable, "-c", script, "run", str(here)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    expected = masks((tmp_path / "results.jsonl").read_text())
    assert sum(len(instances) for _, instances in expected) > 50
    assert masks(run_of(image, given)) == expected


def test_torch_is_in_the_image_for_cuda_alone(cpu: Image, cuda: Image, given: Path) -> None:
    ask = "import torch; print(torch.version.cuda); print(torch.cuda.is_available())"
    without = cpu.run(given, "python", "-c", ask)
    assert without.returncode == 1
    assert "No module named 'torch'" in without.stderr
    done = cuda.run(given, "python", "-c", ask)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("13.")


def test_the_image_for_cuda_makes_a_model_and_its_masks_without_a_card(
    cuda: Image, given: Path, shared: Path
) -> None:
    shutil.copy(shared / "weights" / "yolov8n-seg.pt", given)
    model = {"weights": "/tmp/artefact", "backend": "torch", "precision": "f32"}
    configure(given / "config.yaml", model=model, outputs={"results": RESULTS})
    build = f"maskstream model build {GIVEN}/yolov8n-seg.pt --output /tmp/artefact"
    assert any(instances for _, instances in masks(run_of(cuda, given, build)))


def test_the_demo_answers_its_page(cpu: Image, given: Path) -> None:
    (port,) = free_ports(1)
    with container(cpu, given, "demo", "--port", str(port)):
        wait_until(lambda: "maskstream" in page(port), "the page answers", 120)


def page(port: int) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/") as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_roles_in_containers_lose_no_frame_and_are_found_healthy(
    cpu: Image, given: Path, kafka: str
) -> None:
    for role, port in zip(ROLES, free_ports(len(ROLES)), strict=True):
        configure(
            given / f"{role}.yaml", transport=f"kafka://{kafka}",
            kafka={"prefix": "images.", "partitions": 4, "replication": 1},
            health={"port": port}, web={"port": free_ports(1)[0]},
        )  # fmt: skip
    for words in (["topics", "apply"], ["cameras", "apply"]):
        done = cpu.maskstream(given, *words, f"{GIVEN}/ingest.yaml")
        assert done.returncode == 0, done.stderr
    for role in ROLES:
        assert "Connection refused" in health(cpu, given, role)
    with roles(cpu, given) as running:
        for role in ROLES[1:]:  # ingest ends with its film
            wait_until(partial(is_healthy, cpu, given, role), f"{role} is healthy", 300)
        wait_until(lambda: audited(cpu, given), "every frame has ended", 300, pause_s=2.0)
        for popen in running[1:]:
            stop(popen)


def audited(image: Image, given: Path) -> bool:
    return image.maskstream(given, "audit", f"{GIVEN}/segment.yaml").returncode == 0


def is_healthy(image: Image, given: Path, role: str) -> bool:
    return not health(image, given, role)


def health(image: Image, given: Path, role: str) -> str:
    """What the image's own health check has against a role."""
    port = json.loads((given / f"{role}.yaml").read_text())["health"]["port"]
    test = image.config["Healthcheck"]["Test"]
    assert test[0] == "CMD"
    done = image.run(given, "env", f"MASKSTREAM_HEALTH_PORT={port}", *test[1:])
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


@contextmanager
def roles(image: Image, given: Path) -> Iterator[list[subprocess.Popen[str]]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(container(image, given, role, f"{GIVEN}/{role}.yaml"))
            for role in ROLES
        ]


@contextmanager
def container(image: Image, given: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A container that runs until it is left; what it said is shown where that went wrong."""
    log = given.parent / f"{words[0]}.log"
    with log.open("w") as out:
        popen = subprocess.Popen(
            image.command(given, [*image.config["Entrypoint"], *words]),
            stdout=out, stderr=out, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield popen
    except BaseException:
        print(f"== {words}\n{log.read_text()[-3000:]}")
        raise
    finally:
        popen.kill()
        popen.wait()


def stop(popen: subprocess.Popen[str]) -> None:
    """SIGTERM to process 1 of a container, as an engine sends it; it ends well."""
    children = Path(f"/proc/{popen.pid}/task/{popen.pid}/children").read_text()
    os.kill(int(children), signal.SIGTERM)
    assert popen.wait(60) == 0
