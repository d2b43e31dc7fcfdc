"""The configuration of what works on Kafka alone."""

from pathlib import Path

from stream.config import Settings, load
from stream.errors import ConfigError
from stream.specs import ShadowSpec


def load_for_kafka(config: Path, in_memory: str, *, role: str | None = None) -> Settings:
    """The settings; ``in_memory`` says what is so on ``memory://``. The secrets of ``role`` must be
    there; those of others, and all without it, need not.

    Raises `ConfigError` where they are not of ``kafka://``.
    """
    settings = load(config, secrets=role is not None, role=role)
    if not settings.on_kafka:
        raise ConfigError(
            f"{config}: transport: given {settings.transport}; allowed: kafka://host:port "
            f"(on memory:// {in_memory})"
        )
    return settings


def settings_of_role(config: Path, role: str) -> Settings:
    """The settings of a role of its own.

    Raises `ConfigError` where they are not of ``kafka://``, or lack what the role is for.
    """
    settings = load_for_kafka(config, "maskstream run holds all roles in one process", role=role)
    if role in {"shadow", "compare"}:
        shadow_of(settings)
    return settings


def shadow_of(settings: Settings) -> ShadowSpec:
    """The second network. Raises `ConfigError` where none is set."""
    if settings.shadow is None:
        raise ConfigError("shadow: not set; allowed: a network with a name")
    return settings.shadow
