"""``maskstream topics``."""

import asyncio
from pathlib import Path

from connectors import open_kafka
from stream.cli.kafka_only import load_for_kafka


def apply(config: Path, dry_run: bool) -> None:
    """Make the topics as the configuration says, and print what was done, or would be."""
    settings = load_for_kafka(config, "there is nothing to make")
    transport = open_kafka(settings)
    told = asyncio.run(transport.planned() if dry_run else transport.apply())
    print("\n".join(told) or "all topics are as they should be")


def print_acls(config: Path) -> None:
    """Print what grants everybody the rights on these topics; no broker is asked."""
    settings = load_for_kafka(config, "nobody needs a right")
    print("\n".join(open_kafka(settings).acls()))
