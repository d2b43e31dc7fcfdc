"""What is said while a bar is shown."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import IO

PROGRAM = """
import asyncio, logging, sys
from rich.console import Console
from rich.file_proxy import FileProxy
from stream.cli.logs import logged
from stream.cli.progress import showing
from stream.tally import Tally

async def main():
    async with showing(Tally(), Console(), "segmenting", "frames", "results"):
        while not isinstance(sys.stderr, FileProxy):  # until the bar is shown
            await asyncio.sleep(0.01)
        logging.getLogger("stream").info("the door is open")

with logged("run"):
    asyncio.run(main())
"""
LINE = re.compile(r"\d\d:\d\d:\d\d \[info\] the door is open role=run")


def on_a_terminal(stderr: IO[bytes] | None = None) -> list[str]:
    """What a terminal shows of the program, line by line, whose stderr may go elsewhere."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(command, stdout=its, stderr=stderr or its, env=environment)
    os.close(its)
    came = bytearray()
    try:
        while chunk := os.read(ours, 4096):
            came += chunk
    except OSError:  # so a terminal ends on Linux
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    lines = came.decode().split("\n")
    return [re.sub(r"\x1b\[\S*?[a-zA-Z]", "", line.split("\x1b[2K")[-1]).strip() for line in lines]


def test_on_a_terminal_a_line_of_the_log_stands_above_the_bar() -> None:
    lines = on_a_terminal()
    (at,) = (index for index, line in enumerate(lines) if "the door is open" in line)
    assert LINE.fullmatch(lines[at])
    assert lines[at + 1].startswith("segmenting")


def test_where_stderr_goes_into_a_file_the_log_does_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        lines = on_a_terminal(stderr)
    assert json.loads(log.read_text())["event"] == "the door is open"
    assert not any("the door is open" in line for line in lines)
    assert any(line.startswith("segmenting") for line in lines)
