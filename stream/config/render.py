"""The settings as text that may be shown, and read again."""

import yaml

from stream.config.redact import redact
from stream.config.settings import Settings


def check_text(settings: Settings) -> str:
    """The effective configuration as YAML: defaults filled in, paths absolute, no secret shown."""
    shown = _redacted(settings.model_dump(mode="json"))
    return yaml.safe_dump(shown, sort_keys=False, default_flow_style=None, allow_unicode=True)


def _redacted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _redacted(found) for key, found in value.items()}
    if isinstance(value, list):
        return [_redacted(found) for found in value]
    return redact(value) if isinstance(value, str) and "://" in value else value
