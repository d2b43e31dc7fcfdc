"""What `helm test` runs in its pod: of a real broker's topics, and of probes."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from stream.cli.topics import apply
from tests.support.helm import CHART
from tests.support.http_server import Quiet, answering


class _Waiting(Quiet):
    status, words = 503, b"waits for partitions\n"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.words)


class _Ready(_Waiting):
    status, words = 200, b"ok\n"


def test_it_tells_of_topics_that_are_missing_and_of_pods_that_are_not_ready(
    kafka: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    own = f"{{prefix: {uuid4().hex[:8]}., partitions: 2, replication: 1}}"
    config.write_text(f"transport: kafka://{kafka}\nkafka: {own}\nmodel: {{weights: model}}\n")
    with answering(_Waiting) as port:
        code, said = _asked(config, f"127.0.0.1:{port}")
    assert code == 1
    assert "topics: " in said
    assert "127.0.0.1 (127.0.0.1) is not ready: waits for partitions" in said
    apply(config, dry_run=False)
    with answering(_Ready) as port:
        assert _asked(config, f"127.0.0.1:{port}") == (0, "127.0.0.1: 1 in all\nall is well\n")


def _asked(config: Path, *services: str) -> tuple[int, str]:
    """The exit code of files/ready.py and what it says."""
    command = [sys.executable, str(CHART / "files" / "ready.py"), str(config), *services]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    return done.returncode, done.stdout + done.stderr
