"""Images of ``deploy/docker`` that `tests/setup/images.sh` has built, and containers of them.

There is no engine: a container is a process in namespaces of its own whose root is the image's,
read only, as the image's user, with a `/tmp` of its own. The network is this machine's.
"""

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.required import require

ROOT = Path(__file__).parents[2]
BUILT = ROOT / ".cache" / "images"
NAMES = ("maskstream", "maskstream-cuda")
GIVEN = "/etc/maskstream"
"""Where a container sees the folder that it is given, as in the chart."""
SCRIPT = """
set -e
mount -t tmpfs tmpfs {scratch}
cd {scratch} && mkdir upper work root
mount -t overlay overlay -o lowerdir={image},upperdir=upper,workdir=work root
mkdir -p root{at}
mount --bind {given} root{at}
mount -o remount,bind,ro root{at}
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -o remount,ro root
mount -t tmpfs -o mode=1777 tmpfs root/tmp
exec chroot {scratch}/root {command}
"""


@dataclass(frozen=True)
class Image:
    """An image: the folder that is its root, and how it starts."""

    name: str
    root: Path

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What the image says of its start: ``User``, ``Env``, ``Entrypoint``, …"""
        document = json.loads((BUILT / self.name / "image.json").read_text())
        config: dict[str, Any] = document["Docker"]["config"]
        return config

    def run(
        self, given: Path, *words: str, timeout_s: float = 300.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of a container to its end; it sees ``given`` at `GIVEN`."""
        return subprocess.run(
            self.command(given, words),
            capture_output=True, text=True, check=False, timeout=timeout_s,
        )  # fmt: skip

    def maskstream(
        self, given: Path, *words: str, timeout_s: float = 300.0
    ) -> subprocess.CompletedProcess[str]:
        """Run the image's own entry point with ``words``."""
        return self.run(given, *self.config["Entrypoint"], *words, timeout_s=timeout_s)

    def command(self, given: Path, words: Sequence[str]) -> list[str]:
        """What starts a container of ``words``, as the image's user, without capabilities."""
        user, _, group = self.config["User"].partition(":")
        become = [
            "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
            "env", "--ignore-environment", f"--chdir={self.config['WorkingDir']}",
            *self.config["Env"], *words,
        ]  # fmt: skip
        scratch = given.parent / f"{given.name}-scratch"
        scratch.mkdir(exist_ok=True)
        script = SCRIPT.format(
            scratch=shlex.quote(str(scratch)), image=shlex.quote(str(self.root)),
            given=shlex.quote(str(given)), at=GIVEN, command=shlex.join(become),
        )  # fmt: skip
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]


def require_image(name: str) -> Image:
    """An image that was built, or a skip."""
    built = BUILT / name
    require("images", (built / "key").exists(), f"no image {name}: make images")
    root = (built / "root").resolve()
    require("images", (root / "opt").is_dir(), f"the image {name} is not mounted: make images")
    return Image(name, root)
