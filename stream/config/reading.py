"""A configuration file to settings, or to an error that names every fault of it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from stream.config.checks import document_faults, secret_faults
from stream.config.evidence import evidence_faults, evidence_secret_faults
from stream.config.faults import Fault, Origin
from stream.config.meant import as_meant
from stream.config.plain import Entry
from stream.config.settings import Settings
from stream.config.web import web_faults, web_secret_faults
from stream.config.words import model_faults, no_mapping
from stream.config.yaml_lines import MOST_BYTES, Document, read_yaml
from stream.errors import ConfigError

_SecretFaults = Callable[[Entry, Path, Mapping[str, str]], Iterator[Fault]]
_ALL: Sequence[_SecretFaults] = (secret_faults, evidence_secret_faults, web_secret_faults)
_OF_ROLES: Mapping[str, Sequence[_SecretFaults]] = {
    "notify": (secret_faults, evidence_secret_faults),
    "web": (evidence_secret_faults, web_secret_faults),
}
"""The secrets that roles of their own use; others use none of the configuration's own."""


def load(
    path: Path | str,
    *,
    secrets: bool = True,
    role: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Settings:
    """Read the configuration file at ``path``. Its paths are relative to its folder.

    ``secrets``: whether each secret must be there, and strong enough; with a ``role`` only those
    that it uses, so that no process needs to be given more. ``env`` is where those that name a
    variable are looked up; None is the process's own environment. Raises `ConfigError` with a line
    for each fault.
    """
    try:
        with Path(path).open("rb") as file:
            source = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    return parse(source, path, secrets=secrets, role=role, env=env)


def parse(
    source: bytes | str,
    path: Path | str,
    *,
    secrets: bool = True,
    role: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Settings:
    """As `load`, from text; ``path`` is the file that it counts as, which need not exist."""
    document = read_yaml(
        source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    )
    origin = Origin(str(path), document.lines)
    folder = Path(path).absolute().parent
    settings, faults = _settings(document, folder)
    meant = as_meant(document)
    if isinstance(meant.data, dict):
        faults += [*document_faults(meant.data, folder), *evidence_faults(meant.data)]
        faults += web_faults(meant.data)
        if secrets:
            known = os.environ if env is None else env
            for of_some in _ALL if role is None else _OF_ROLES.get(role, ()):
                faults += of_some(meant.data, folder, known)
    told = [fault for fault in faults if not meant.in_hole(fault.path)] + document.faults
    if settings is None or told:
        raise origin.error(told)
    return settings.read_from(origin)


def _settings(document: Document, folder: Path) -> tuple[Settings | None, list[Fault]]:
    if not isinstance(document.data, dict):
        return None, [] if document.faults else [no_mapping(document.data)]
    try:
        return Settings.model_validate(document.data, context=folder), []
    except ValidationError as error:
        return None, list(model_faults(error, document.data))
