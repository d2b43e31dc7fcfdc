"""Containers without an engine: processes of this environment in namespaces of their own.

The image is this machine's root and the project's own environment, under an overlay that is
thrown away; what a pod mounts is laid over it. The process is number 1 of its namespace, as in a
container, is nobody's user and has no capability. The network is the host's.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.required import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
CODE = "/srv/maskstream"
"""Where the project's code lies in every container."""
USER = 65532
"""Whom the images run as; a manifest may name another."""


@dataclass(frozen=True)
class Mount:
    """A folder or a file of this machine, and where a container sees it."""

    source: Path
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class Box:
    """What a container is started with. ``folder`` is an empty one for its root."""

    folder: Path
    words: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    user: int = USER
    group: int = USER
    read_only: bool = False


class Boxed:
    """A container that runs, or ran."""

    def __init__(self, box: Box, log: Path) -> None:
        box.folder.mkdir(parents=True)
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                [*_UNSHARE, "sh", "-c", _script(box)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self._pid = 0

    @property
    def code(self) -> int | None:
        """Its exit code, as a shell says it, once it has ended."""
        code = self._popen.poll()
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process 1; none to one that has ended."""
        self._find()
        if self.code is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self._pid, number)

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code once it has ended; raises `subprocess.TimeoutExpired`."""
        self._popen.wait(seconds)
        code = self.code
        assert code is not None
        return code

    def cpu_s(self) -> float:
        """What its process 1 has computed until now, on all cores together."""
        self._find()
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """SIGKILL to all that is in it: its process 1 takes the others with it."""
        self.signal(signal.SIGKILL)  # unshare's own --kill-child is over once it is another user
        self._popen.wait()

    def _find(self) -> None:
        """Know its process 1, as this machine numbers it."""
        own = Path(f"/proc/{self._popen.pid}/task/{self._popen.pid}/children")

        def is_found() -> bool:
            with suppress(FileNotFoundError):
                self._pid = int((own.read_text().split() or ["0"])[0])
            return self._pid > 0 or self.code is not None

        if not self._pid:
            wait_until(is_found, "a container has a process")


def require_sandbox() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names ``mount``, without namespaces."""
    told = _refusal()
    require("mount", not told, f"no container: {told}")


@cache
def _refusal() -> str:
    done = subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True, text=True)
    return done.stderr.strip()


_UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]


def _script(box: Box) -> str:
    """Makes the root and becomes the container's process."""
    root = f"{box.folder}/root"
    lines = [
        "set -e",
        f"mount -t tmpfs tmpfs {_q(box.folder)}",
        f"cd {_q(box.folder)} && mkdir upper work root",
        "mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root",
        "mount -t proc proc root/proc",
        "mount --rbind /dev root/dev",
        "mount --rbind /sys root/sys",
        *(line for mount in [*box.mounts, *_image(box.mounts)] for line in _mounted(mount)),
        *(f"chmod a+rx root{_q(str(folder))}" for folder in _ways()),
        *(["mount -o remount,ro root"] if box.read_only else []),
        f"exec chroot {_q(root)} {shlex.join(_command(box))}",
    ]
    return "\n".join(lines)


def _mounted(mount: Mount) -> Iterator[str]:
    at, source = f"root{_q(mount.path)}", _q(str(mount.source))
    if mount.source.is_dir():
        yield f"mkdir -p {at}"
    else:
        yield f"mkdir -p {_q('root' + str(Path(mount.path).parent))} && touch {at}"
    yield f"mount --bind {source} {at}"
    if mount.read_only:
        yield f"mount -o remount,bind,ro {at}"


def _image(mounts: Sequence[Mount]) -> Iterator[Mount]:
    """The code; and the environment where a pod's own folder lies over it, or the overlay lacks it:
    it holds one file system alone.
    """
    yield Mount(ROOT, CODE, read_only=True)
    for prefix in map(Path, {sys.prefix, sys.base_prefix}):
        is_elsewhere = prefix.stat().st_dev != Path("/").stat().st_dev
        if is_elsewhere or any(prefix.is_relative_to(each.path) for each in mounts):
            yield Mount(prefix, str(prefix), read_only=True)


def _ways() -> list[Path]:
    """Folders that lead to the interpreter: some are their owner's alone."""
    prefixes = (Path(sys.prefix), Path(sys.base_prefix))
    return sorted({way for prefix in prefixes for way in prefix.parents if way != Path("/")})


def _command(box: Box) -> list[str]:
    inner = {
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/", "PYTHONPATH": CODE, "PYTHONUNBUFFERED": "1", **box.env,
    }  # fmt: skip
    return [
        "setpriv", f"--reuid={box.user}", f"--regid={box.group}", "--clear-groups",
        "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
        "env", "--ignore-environment",
        *(f"{name}={value}" for name, value in inner.items()), *box.words,
    ]  # fmt: skip


def _q(text: str | Path) -> str:
    return shlex.quote(str(text))
