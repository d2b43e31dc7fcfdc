"""Files that a run reads must be there, and say what they should, and there must be a place for
those that it stores: the check that a start makes before it writes anything.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from stream.config.credentials import with_credentials
from stream.config.faults import Fault
from stream.config.redact import shown
from stream.config.settings import Settings
from stream.errors import ConfigError
from stream.evidence_spec import is_s3
from stream.specs import file_path


def check_files(settings: Settings) -> None:
    """Raise `ConfigError` where the settings name weights or a camera's file that is not there,
    credentials that cannot be read or may not be sent to their camera, or a folder of evidence that
    could not be made or written to. Nothing is made.
    """
    faults = [
        Fault(place, f"given {shown(str(path))}; allowed: a file that is there")
        for place, path in _named_files(settings)
        if not path.exists()
    ]
    faults += _credential_faults(settings)
    faults += _store_faults(settings)
    if faults:
        raise settings.origin.error(faults)


def _credential_faults(settings: Settings) -> Iterator[Fault]:
    for index, camera in enumerate(settings.cameras):
        try:
            with_credentials(camera, settings.credentials)
        except ConfigError as error:
            yield Fault(("cameras", index, "credentials"), str(error))


def _named_files(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], Path]]:
    yield ("model", "weights"), settings.model.weights
    if settings.shadow is not None:
        yield ("shadow", "weights"), settings.shadow.weights
    for index, camera in enumerate(settings.cameras):
        path = file_path(camera.url)
        if path is not None:
            yield ("cameras", index, "url"), path


def _store_faults(settings: Settings) -> Iterator[Fault]:
    spec = settings.evidence
    if spec is None or is_s3(spec.store):
        return
    store = Path(spec.store)
    there = next(each for each in (store, *store.parents) if os.path.lexists(each))
    fault = None
    if not os.path.isdir(there):  # `Path.is_dir` raises where it may not look
        fault = "is no folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        fault = "may not be written to"
    if fault is not None:
        given = f"given {shown(spec.store)}, but {shown(str(there))} {fault}"
        allowed = "allowed: a folder that can be written to, or made"
        yield Fault(("evidence", "store"), f"{given}; {allowed}")
