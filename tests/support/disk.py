"""A disk that is small enough to be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.required import require

_CHUNK = bytes(64 * 1024)


class SmallDisk:
    """A folder with a limit of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take all the room that is left."""
        with (
            self._ballast.open("wb", buffering=0) as file,
            pytest.raises(OSError, match="No space"),
        ):
            file.writelines(repeat(_CHUNK))

    def make_read_only(self) -> None:
        """For everybody: a user who may mount may write where permissions forbid it."""
        remount = ["mount", "-o", "remount,ro", str(self.folder)]
        subprocess.run(remount, check=True, capture_output=True)

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """A disk of ``mib`` at ``folder``; skips where this user may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    require("mount", done.returncode == 0, f"no small disk: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
