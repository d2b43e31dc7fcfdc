"""A configuration file to settings, or to an error that names every fault of it."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from stream.config.checks import document_faults, secret_faults
from stream.config.evidence import evidence_faults, evidence_secret_faults
from stream.config.faults import Fault, Origin
from stream.config.meant import as_meant
from stream.config.settings import Settings
from stream.config.web import web_faults, web_secret_faults
from stream.config.words import model_faults, no_mapping
from stream.config.yaml_lines import MOST_BYTES, Document, read_yaml
from stream.errors import ConfigError


def load(
    path: Path | str, *, secrets: bool = True, env: Mapping[str, str] | None = None
) -> Settings:
    """Read the configuration file at ``path``. Its paths are relative to its folder.

    ``secrets``: whether each endpoint's secret must be there, and strong enough. ``env`` is where
    those that name a variable are looked up; None is the process's own environment. Raises
    `ConfigError` with a line for each fault.
    """
    try:
        with Path(path).open("rb") as file:
            source = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    return parse(source, path, secrets=secrets, env=env)


def parse(
    source: bytes | str,
    path: Path | str,
    *,
    secrets: bool = True,
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
            faults += secret_faults(meant.data, folder, known)
            faults += evidence_secret_faults(meant.data, folder, known)
            faults += web_secret_faults(meant.data, folder, known)
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
