"""A process as number 1 of a PID namespace, as it is in a container."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.support.required import require
from tests.support.waiting import wait_until

AS_FIRST = ("unshare", "--pid", "--fork", "--kill-child")
"""Before a command: it is number 1 then, and its exit code is that of the whole."""


def require_namespaces() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without the right to make one."""
    found = shutil.which("unshare") is not None and not _tried()
    require("mount", found, "unshare: only a user who may mount may make a PID namespace")


def _tried() -> int:
    return subprocess.run([*AS_FIRST, "true"], check=False, capture_output=True).returncode


def stop(popen: subprocess.Popen[bytes], deadline_s: float) -> int:
    """SIGTERM to number 1 as soon as it hears one; returns its exit code."""
    os.kill(_first(popen), signal.SIGTERM)
    return popen.wait(deadline_s)


def _first(popen: subprocess.Popen[bytes]) -> int:
    """The number by which others know number 1, once it hears a SIGTERM."""
    children = Path(f"/proc/{popen.pid}/task/{popen.pid}/children")

    def hears() -> bool:
        return any(_catches(int(pid), signal.SIGTERM) for pid in children.read_text().split())

    wait_until(lambda: popen.poll() is not None or hears(), "it hears a SIGTERM")
    assert popen.poll() is None, "it ended by itself"
    (pid,) = children.read_text().split()
    return int(pid)


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process does something by itself about a signal (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = (int(each.split()[1], 16) for each in lines if each.startswith("SigCgt:"))
    return bool(mask >> (number - 1) & 1)
