"""The configuration: one YAML file to one frozen settings tree.

`load` reads it, or raises one `stream.errors.ConfigError` that names every fault with its line;
`check_files`, `check_labels` and `signing_keys` are for the start, `doubts`, `check_text` and
`reference` for people. `read_cameras` and the like are for cameras that stand elsewhere.
"""

from stream.config.addresses import is_public
from stream.config.credentials import with_credentials
from stream.config.doubts import doubts
from stream.config.files import check_files
from stream.config.labels import check_labels
from stream.config.reading import load, parse
from stream.config.redact import redact
from stream.config.reference import reference
from stream.config.registered import (
    check_watched,
    read_camera,
    read_cameras,
    registered_url_fault,
)
from stream.config.render import check_text
from stream.config.secrets import bearer_token, password, signing_key, signing_keys
from stream.config.settings import Settings

__all__ = [
    "Settings",
    "bearer_token",
    "check_files",
    "check_labels",
    "check_text",
    "check_watched",
    "doubts",
    "is_public",
    "load",
    "parse",
    "password",
    "read_camera",
    "read_cameras",
    "redact",
    "reference",
    "registered_url_fault",
    "signing_key",
    "signing_keys",
    "with_credentials",
]
