"""Files that a run reads must be there, and say what they should: the check that a start makes
before it writes anything.
"""

from collections.abc import Iterator
from pathlib import Path

from stream.config.credentials import with_credentials
from stream.config.faults import Fault
from stream.config.redact import shown
from stream.config.settings import Settings
from stream.errors import ConfigError
from stream.specs import file_path


def check_files(settings: Settings) -> None:
    """Raise `ConfigError` where the settings name weights or a camera's file that is not there, or
    credentials that cannot be read or may not be sent to their camera.
    """
    faults = [
        Fault(place, f"given {shown(str(path))}; allowed: a file that is there")
        for place, path in _named_files(settings)
        if not path.exists()
    ]
    faults += _credential_faults(settings)
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
    for index, camera in enumerate(settings.cameras):
        path = file_path(camera.url)
        if path is not None:
            yield ("cameras", index, "url"), path
