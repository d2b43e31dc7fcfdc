"""What a role says on stderr: its own words, and warnings of others, each once in a while."""

import logging
import sys
import time

QUIET_S = 10.0
"""A client that looks for a lost broker says so ten times a second."""


def log_to_stderr(who: str = "") -> None:
    """Log for people, a line a record; ``who`` tells this process from others beside it."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s {who}%(message)s"))
    handler.addFilter(_Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("stream").setLevel(logging.INFO)


class _Stderr(logging.Handler):
    """Writes lines to stderr.

    While a bar is shown on a terminal, rich puts its own in the place of `sys.stderr`, which writes
    above the bar. What is written past it would end up in the middle of the bar. Where stderr goes
    elsewhere, as into a file, no bar is in the way, and rich would take the lines to the terminal.
    """

    def __init__(self) -> None:
        super().__init__()
        self._own = sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """As `logging.Handler.emit`."""
        stream = sys.stderr if self._own.isatty() else self._own
        try:
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except Exception:  # as of any handler: what cannot be said stops nobody
            self.handleError(record)


class _Seldom(logging.Filter):
    """Lets each message of others through once in `QUIET_S`, whatever its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in {"stream", "connectors"}:
            return True
        now_s = time.monotonic()
        if now_s - self._said_s.get(str(record.msg), -QUIET_S) < QUIET_S:
            return False
        self._said_s[str(record.msg)] = now_s
        return True
