"""``maskstream topics apply``."""

import asyncio
from pathlib import Path

from connectors import open_kafka
from stream.config import load
from stream.errors import ConfigError


def apply(config: Path, dry_run: bool) -> None:
    """Make the topics as the configuration says, and print what was done, or would be."""
    settings = load(config, secrets=False)
    if settings.transport.startswith("memory:"):
        raise ConfigError(f"{config}: transport: given {settings.transport}; allowed: kafka://…")
    transport = open_kafka(settings)
    told = asyncio.run(transport.planned() if dry_run else transport.apply())
    print("\n".join(told) or "all topics are as they should be")
