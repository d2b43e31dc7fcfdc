"""A compose file as the tests read it: what of each service they look at, or run."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from tests.support.required import require

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
SECRETS = Path("/run/secrets")

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, or a named volume, and where the container has it."""

    source: str
    target: str
    is_read_only: bool

    @property
    def path(self) -> Path | None:
        """On the host; None of a named volume."""
        return (FOLDER / self.source).resolve() if self.source.startswith((".", "/")) else None


@dataclass(frozen=True)
class Service:
    """A service, with variables at their defaults."""

    name: str
    given: Mapping[str, Any]
    """Its section of the file, anchors and variables put in."""

    @property
    def command(self) -> list[str]:
        return [*self.given.get("entrypoint", []), *self.given.get("command", [])]

    @property
    def environment(self) -> dict[str, str]:
        return {key: str(value) for key, value in self.given.get("environment", {}).items()}

    @property
    def user(self) -> tuple[int, int]:
        user, group = self.given["user"].split(":")
        return int(user), int(group)

    @property
    def mounts(self) -> list[Mount]:
        parts = [str(each).split(":") for each in self.given.get("volumes", [])]
        return [Mount(source, target, "ro" in rest) for source, target, *rest in parts]

    @property
    def tmpfs(self) -> list[str]:
        """Where they are, without their options."""
        return [str(each).partition(":")[0] for each in self.given.get("tmpfs", [])]

    @property
    def secrets(self) -> list[str]:
        return list(self.given.get("secrets", []))

    @property
    def grace_s(self) -> float:
        """What it may take to end; 10 s where the file says nothing."""
        return seconds(self.given.get("stop_grace_period", "10s"))

    @property
    def health(self) -> list[str]:
        """The command that its health is asked with, without ``CMD``; [] where none is."""
        return list(self.given.get("healthcheck", {}).get("test", []))[1:]

    @property
    def is_role(self) -> bool:
        """Whether it is a role of ours that runs on."""
        return "apply-cameras" in self.given.get("depends_on", {})

    @property
    def is_ours(self) -> bool:
        return str(self.given["image"]).startswith("maskstream")


@cache
def document() -> Mapping[str, Any]:
    """The file, with variables at their defaults. ``yaml`` puts the anchors in."""
    text = _VARIABLE.sub(lambda found: found[2], FILE.read_text())
    read: Mapping[str, Any] = yaml.safe_load(text)
    return read


def services() -> Mapping[str, Service]:
    """All of them by their names, those of profiles as well."""
    return {name: Service(name, given) for name, given in document()["services"].items()}


def reader() -> Path:
    """The program that tests/setup/compose.sh builds of the folder as it is now."""
    pinned = sorted((ROOT / "tests" / "setup" / "compose").iterdir())
    key = sha256(b"".join(each.read_bytes() for each in pinned)).hexdigest()[:12]
    return ROOT / ".cache" / "compose" / key / "compose-config"


def as_docker_reads(*files: Path) -> Mapping[str, Any]:
    """What Docker makes of the file, with ``files`` laid over it, without an environment. Skips, or
    fails where ``MASKSTREAM_REQUIRE`` names it, where its reader is not built.
    """
    require("compose", reader().exists(), "no reader of compose files: tests/setup/compose.sh")
    command = [str(each) for each in (reader(), FILE, *files)]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr
    read: Mapping[str, Any] = json.loads(done.stdout)
    return read


def seconds(duration: str) -> float:
    """``30s`` or ``2m`` as a number."""
    return float(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def words_after(options: Sequence[str], option: str) -> str:
    """The value of ``--option=value``."""
    (found,) = (each for each in options if each.startswith(f"{option}="))
    return found.partition("=")[2]
