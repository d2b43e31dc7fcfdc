"""The configuration of what works on Kafka alone."""

from pathlib import Path

from stream.config import Settings, load
from stream.errors import ConfigError


def load_for_kafka(config: Path, in_memory: str, *, secrets: bool = False) -> Settings:
    """The settings; ``in_memory`` says what is so on ``memory://``.

    Raises `ConfigError` where they are not of ``kafka://``.
    """
    settings = load(config, secrets=secrets)
    if not settings.on_kafka:
        raise ConfigError(
            f"{config}: transport: given {settings.transport}; allowed: kafka://host:port "
            f"(on memory:// {in_memory})"
        )
    return settings


def settings_of_role(config: Path) -> Settings:
    """The settings of a role of its own. Raises `ConfigError` where they are not of ``kafka://``."""
    return load_for_kafka(config, "maskstream run holds all roles in one process", secrets=True)
