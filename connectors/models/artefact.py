"""A model artefact: a folder with a manifest and weights, never a pickle.

``manifest.json`` says what the weights are and what they were made from; beside it lie
``model.xml`` and ``model.bin`` (OpenVINO IR) and, where the artefact serves torch as well,
``model.safetensors``.
"""

from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stream.errors import ModelError
from stream.specs import Precision
from stream.types import ModelRef

FORMAT = 1
MANIFEST = "manifest.json"
OPENVINO = "model.xml"
TORCH = "model.safetensors"


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What an artefact says about itself.

    ``weights`` gives the SHA-256 of every weights file, ``storage`` what the numbers are kept as
    (f16 halves the files), ``stride`` the multiple that network sides must have, ``calibration``
    the SHA-256 of the clip that int8 was calibrated on, ``architecture`` the network's layers for
    torch, ``made_with`` the versions that wrote it.
    """

    format: int
    name: str
    task: str
    labels: tuple[str, ...]
    precision: Precision
    storage: str
    stride: int
    source_sha256: str
    weights: dict[str, str]
    calibration: str | None
    licence: str
    architecture: dict[str, Any]
    made_with: dict[str, str]

    @property
    def sha256(self) -> str:
        """One hash over all weights files: what stands in results, and what a pin compares to."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.weights.items()))
        return sha256(lines.encode()).hexdigest()

    @property
    def ref(self) -> ModelRef:
        """What stands in every result."""
        return ModelRef(self.name, self.sha256, self.precision)


class Artefact(Struct, frozen=True):
    """A folder whose manifest was read and whose weights are what the manifest says."""

    folder: Path
    manifest: Manifest


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_pin(path: Path, found: str, pinned: str | None) -> None:
    """Raise `ModelError` when ``found`` is not the pinned SHA-256."""
    if pinned is not None and found != pinned:
        raise ModelError(f"model.weights: {path}: sha256 {found} ≠ pinned {pinned}")


def read(folder: Path, pinned: str | None = None) -> Artefact:
    """Open an artefact. Raises `ModelError` when anything in it is not what it should be."""
    manifest = _manifest(folder / MANIFEST)
    if manifest.task != "segment":
        raise ModelError(f"model.weights: {folder}: task {manifest.task}, allowed: segment")
    for name, expected in manifest.weights.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ModelError(f"model.weights: {path}: the manifest names it, but it is not there")
        if (found := _digest(path)) != expected:
            raise ModelError(f"model.weights: {path}: sha256 {found} ≠ manifest {expected}")
    check_pin(folder, manifest.sha256, pinned)
    return Artefact(folder, manifest)


def _digest(path: Path) -> str:
    try:
        return digest(path)
    except OSError as error:
        raise ModelError(f"model.weights: {path}: {error.strerror}") from error


def labels(folder: Path) -> tuple[str, ...]:
    """What the network of an artefact tells apart; weights stay unread. Raises `ModelError`."""
    return _manifest(folder / MANIFEST).labels


def _manifest(path: Path) -> Manifest:
    try:
        raw = msgspec.json.decode(path.read_bytes())
        if isinstance(raw, Mapping) and raw.get("format") != FORMAT:
            raise ModelError(
                f"model.weights: {path}: format {raw.get('format')}, allowed: {FORMAT}"
            )
        return msgspec.convert(raw, Manifest)
    except FileNotFoundError:
        raise ModelError(
            f"model.weights: {path.parent}: not a model artefact: it has no {MANIFEST}"
        ) from None
    except (msgspec.MsgspecError, OSError) as error:
        raise ModelError(f"model.weights: {path}: {error}") from error


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest beside the weights files."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(text + b"\n")
