"""The Dockerfile as text, and the scripts beside it; `make images` builds it."""

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.kafka import free_ports

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
TARGETS = ("maskstream-cuda", "maskstream")
DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Instruction:
    """``COPY a b`` of a stage is word COPY and rest ``a b``."""

    stage: str
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    found, stage = [], ""
    for line in filter(None, re.sub(r"\\\n\s*", " ", text).splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        found.append(Instruction(stage, word, rest))
    return found


def of(word: str) -> list[Instruction]:
    return [each for each in instructions() if each.word == word]


def test_every_stage_is_made_of_an_argument_or_of_a_stage_before() -> None:
    arguments = {each.rest.partition("=")[0] for each in of("ARG") if not each.stage}
    stages = [each.stage for each in of("FROM")]
    for number, each in enumerate(of("FROM")):
        origin = each.rest.split(" AS ")[0]
        assert origin in {*stages[:number], *(f"${{{name}}}" for name in arguments)}
    assert tuple(stages[-2:]) == TARGETS, "the last is built where none is named"


def test_base_images_are_named_without_a_registry() -> None:
    for each in of("ARG"):
        assert not re.search(r"[.:][^/]*/", each.rest), each.rest


def test_what_is_copied_is_there_and_is_let_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    let_in = {line[1:] for line in lines if line.startswith("!")}
    for each in of("COPY"):
        words = each.rest.split()
        if words[0].startswith("--from="):
            assert words[0].removeprefix("--from=") in {other.stage for other in of("FROM")}
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            parts = [source, *map(str, Path(source).parents)]
            assert let_in & set(parts), f"{source} is not in .dockerignore"


def test_nothing_is_added_from_elsewhere() -> None:
    assert of("ADD") == []
    assert not [each for each in of("RUN") if re.search(r"\b(curl|wget|git)\b|://", each.rest)]


def test_extras_are_those_of_the_project_and_torch_is_for_cuda_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    taken = {
        each.stage: set(re.findall(r"--extra (\S+)", each.rest))
        for each in of("RUN")
        if "--extra" in each.rest
    }
    assert set.union(*taken.values()) <= project["optional-dependencies"].keys()
    assert taken["dependencies"] == {"openvino", "kafka", "s3", "traces"}
    assert taken["dependencies-cuda"] - taken["dependencies"] == {"segment"}


def test_images_run_as_a_numbered_user_who_is_not_root() -> None:
    for target in TARGETS:
        own = [each for each in instructions() if each.stage == target]
        assert (own[-1].word, own[-1].rest) == ("USER", "65532:65532")


def test_every_package_is_pinned() -> None:
    installs = [each.rest for each in of("RUN") if " install " in each.rest]
    assert installs
    for each in installs:
        assert "-c constraints.txt" in each or "--no-deps" in each


@contextmanager
def probes(answers: dict[str, tuple[int, str]]) -> Iterator[int]:
    class Probes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Probes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def check_health(port: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(DOCKER / "healthcheck.py")],
        env={"MASKSTREAM_HEALTH_PORT": str(port)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_role_that_lives_and_is_ready_is_healthy() -> None:
    with probes({"/livez": (200, "ok\n"), "/readyz": (200, "ok\n")}) as port:
        assert check_health(port) == (0, "")


def test_the_health_check_says_why_a_role_is_not_healthy() -> None:
    with probes({"/livez": (200, "ok\n"), "/readyz": (503, "waits for: start\n")}) as port:
        assert check_health(port) == (1, "/readyz: waits for: start\n")
    (port,) = free_ports(1)
    code, told = check_health(port)
    assert code == 1
    assert f"/livez: port {port}: " in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["r/team"], "given 1 words; allowed: REPOSITORY VERSION BASE_IMAGE@sha"),
        (["r/team", "1", "python:3.11", f"python@{DIGEST}"], "given python:3.11 as a base"),
        (["r/team", "1", f"python@{DIGEST}", "python@sha256:12"], "given python@sha256:12 as"),
    ],
)
def test_a_release_is_refused_without_pinned_base_images(words: list[str], told: str) -> None:
    done = subprocess.run(
        [DOCKER / "release.sh", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert told in done.stderr
