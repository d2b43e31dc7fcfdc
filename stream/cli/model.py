"""Opening models, and ``maskstream model build``."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

from rich.console import Console

from connectors.models import Build, build_artefact, open_model
from connectors.models.artefact import MANIFEST, labels
from connectors.models.segmenter import Segmenter
from stream.config import Settings, check_labels
from stream.errors import ConfigError
from stream.specs import ModelSpec, Precision


def cache_folder() -> Path:
    """Where artefacts made at first use are kept (XDG Base Directory specification)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "maskstream"


@asynccontextmanager
async def opened(spec: ModelSpec) -> AsyncIterator[Segmenter]:
    """The model of a ``model`` section, made into an artefact first where it is weights."""
    model = await asyncio.to_thread(open_model, spec, Path(), cache_folder())
    async with model:
        yield model


def check_known_labels(settings: Settings) -> None:
    """Raise `ConfigError` where the settings name a label that their model does not have, if it is
    an artefact that is here: who does not segment need not have it.
    """
    weights = settings.model.weights
    if (weights / MANIFEST).is_file():
        check_labels(settings, labels(weights))


def build(weights: Path, precision: str, calibrate: Path | None, output: Path | None) -> None:
    """Make an artefact and say where it is and what it is."""
    wanted = one_of("--precision", precision, get_args(Precision))
    folder = output or weights.with_name(f"{weights.stem}-{wanted}")
    console = Console(stderr=True)
    with console.status(f"making {folder}"):
        artefact = build_artefact(Build(weights, wanted, calibrate), folder)
    manifest = artefact.manifest
    size_mb = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(
        f"{folder}: {manifest.name}, {manifest.precision}, {len(manifest.labels)} labels, "
        f"{size_mb:.1f} MB, sha256 {manifest.sha256}"
    )


def one_of(option: str, given: str, allowed: tuple[Precision, ...]) -> Precision:
    """``given``, as one of the ``allowed``. Raises `ConfigError` otherwise."""
    for precision in allowed:
        if given == precision:
            return precision
    raise ConfigError(f"{option}: given {given}; allowed: {', '.join(allowed)}")
