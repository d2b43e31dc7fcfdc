"""The chart, as Helm renders it."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.required import require
from tests.support.volumes import Manifest

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "maskstream"
KUBERNETES = "1.34.0"


def render(values: Mapping[str, Any], name: str = "site") -> list[Manifest]:
    """The objects of a release with these values."""
    require("helm", shutil.which("helm") is not None, "no helm")
    command = ["helm", "template", name, str(CHART), "--kube-version", KUBERNETES, "--values", "-"]
    done = subprocess.run(
        command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]
