"""``maskstream rules test``: a user's own rules, tested on recorded results."""

import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from stream import codec
from stream.cli.audit import read_results
from stream.config import load
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError
from stream.types import Alert
from stream.watching import replay


def replay_file(config: Path, results: Path, expect: Path | None) -> int:
    """Print the alerts that ``results`` give, a JSON line each; returns the exit code."""
    settings = load(config, secrets=False)
    came = [_line(alert) for alert in replay(settings.rules, settings.zones, read_results(results))]
    for line in came:
        print(line)
    print(f"{len(came)} changes of alerts from {results}", file=sys.stderr)
    if expect is None:
        return EXIT_OK
    wanted = list(_lines(expect))
    if came == wanted:
        return EXIT_OK
    for line in unified_diff(wanted, came, str(expect), "replayed", lineterm=""):
        print(line, file=sys.stderr)
    return EXIT_DIFFERENT


def _line(alert: Alert) -> str:
    return codec.to_json(alert).decode()


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--expect {path}: {error}") from error
    return (line for line in text.splitlines() if line.strip())
