"""What is in the images."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import GIVEN, NAMES, Image, require_image

pytestmark = [pytest.mark.images, pytest.mark.timeout(900)]

MOST_MB = {"maskstream": 600, "maskstream-cuda": 6000}
TORCH = {"torch", "torchvision", "ultralytics", "safetensors"}
ELSEWHERE = {"matplotlib", "nncf", "pycocotools"}
"""Packages of commands that no image is for."""
LOAD = Path(__file__).with_name("load.py")


@pytest.fixture(params=NAMES)
def image(request: pytest.FixtureRequest) -> Image:
    return require_image(request.param)


def everything(image: Image) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, folders, files in os.walk(image.root):
        for name in (*folders, *files):
            path = Path(folder, name)
            yield path.relative_to(image.root), path.lstat()


def test_an_image_is_as_small_as_promised(image: Image) -> None:
    done = subprocess.run(
        ["du", "--summarize", "--one-file-system", "--block-size=1000000", str(image.root)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    size_mb = int(done.stdout.split()[0])
    print(f"{image.name}: {size_mb} MB unpacked")
    assert size_mb < MOST_MB[image.name]


def test_nobody_in_a_container_owns_changes_or_becomes_anything(image: Image) -> None:
    files = [(path, found) for path, found in everything(image) if stat.S_ISREG(found.st_mode)]
    assert files
    assert [path for path, found in files if found.st_uid] == []
    assert [path for path, found in files if found.st_mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [path for path, found in files if found.st_mode & stat.S_IWOTH] == []
    shared = [
        path
        for path, found in everything(image)
        if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_IWOTH
    ]
    assert [path for path in shared if not (image.root / path).stat().st_mode & stat.S_ISVTX] == []


def test_an_image_has_nothing_to_build_with(image: Image) -> None:
    tools = {"gcc", "cc", "ld", "strip", "pip", "pip3", "uv"}
    runs = {path.name for path, _ in everything(image) if path.parent.name in {"bin", "sbin"}}
    assert not runs & tools
    assert not list(image.root.glob("opt/maskstream/lib/python3*/site-packages/pip"))
    lists = image.root / "var" / "lib" / "apt" / "lists"
    assert not [each for each in lists.glob("*") if each.is_file()]
    assert not (image.root / "root" / ".cache").exists()
    assert not list((image.root / "tmp").iterdir())


def test_an_image_says_how_it_starts(image: Image) -> None:
    config = image.config
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["maskstream"]
    assert "healthcheck.py" in config["Healthcheck"]["Test"][-1]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "AGPL-3.0-only"
    assert labels["org.opencontainers.image.version"] == "0.1.0"


def test_every_library_that_is_linked_to_is_there(cpu: Image, given: Path) -> None:
    """With torch it is not told so: torchvision finds what torch has loaded before."""
    script = r"""find /opt/maskstream -name '*.so*' -type f | while read -r file; do
        ldd "$file" | sed -n "s|^\s*\(\S*\) => not found.*|\1 $file|p"; done"""
    done = cpu.run(given, "sh", "-c", script, timeout_s=600)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_module_loads_and_is_compiled_already(image: Image, given: Path) -> None:
    shutil.copy(LOAD, given)
    done = image.run(given, "python", f"{GIVEN}/load.py")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["uncompiled"] == []
    assert set(found["absent"]) <= ELSEWHERE | (set() if "cuda" in image.name else TORCH)
