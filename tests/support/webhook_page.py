"""The example of docs/webhooks.md, done as a reader would do it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from connectors.demo.film import FILM
from tests.support.kafka import free_ports
from tests.support.required import require

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
PORT = "9000"
LONGEST_S = 550
_LISTENS = "until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done"


def blocks(heading: str, language: str) -> list[str]:
    """What stands in a section of the page in blocks of a language."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```(\w*)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return [text for its, text in found if its == language]


def done(folder: Path, film: Path = FILM) -> list[str]:
    """Follow the page in ``folder``, on ``film``; returns what its receiver printed.

    Its commands run as they stand, but for the environment, which is there, and the port, which
    may be taken.
    """
    for tool in ("bash", "openssl"):
        require(tool, shutil.which(tool) is not None, f"{tool} is not installed")
    (port,) = map(str, free_ports(1))
    (config,), (receiver,), (commands,) = (
        blocks("Try it", language) for language in ("yaml", "python", "sh")
    )
    config = config.replace(" connectors/demo/data/yard.mp4", f" {film}")
    config = config.replace(" connectors/demo/data", f" {FILM.parent}")
    (folder / "yard.yaml").write_text(config.replace(PORT, port))
    (folder / "receiver.py").write_text(receiver.replace(PORT, port))
    return _lines(_script(commands, port), folder)


def _script(commands: str, port: str) -> str:
    """The commands, where ``python`` and ``maskstream`` are those of the tests."""
    typed = [line for line in commands.splitlines() if ".venv" not in line]
    typed = [line.replace("&", f"&\n{_LISTENS.format(port=port)}") for line in typed]
    program = "from stream.cli import main; main()"
    here = [
        "set -e",
        "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
        f'maskstream() {{ "{sys.executable}" -c "{program}" "$@"; }}',
        f'python() {{ exec "{sys.executable}" "$@"; }}',
    ]
    return "\n".join([*here, *typed])


def _lines(script: str, folder: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            out, told = shell.communicate(timeout=LONGEST_S)
        finally:
            _end_all(shell)
    assert shell.returncode == 0, out + told
    return [line.strip() for line in out.splitlines() if line.startswith("alert.")]


def _end_all(shell: subprocess.Popen[str]) -> None:
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
