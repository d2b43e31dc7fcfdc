"""What a role says on stderr: on a terminal a short line for people, else a JSON object a line.

All that is said comes in that form: our own words, warnings of others (each once in a while), and
what was not caught. Whoever speaks uses the standard library's logging; structlog writes it down.
"""

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ProcessorFormatter

from stream import context, tracing
from stream.codec import rfc3339
from stream.errors import EXIT_SOFTWARE, MaskstreamError

QUIET_S = 10.0
"""A client that looks for a lost broker says so ten times a second."""
MOST_KNOWN = 1000
"""Messages of others; of more than these, the one that was said longest ago is forgotten, and may
be said again at once."""
OURS = {"stream", "connectors"}

_log = logging.getLogger(__name__)


@contextmanager
def logged(role: str, **process: int) -> Iterator[None]:
    """Log what the body says, with its role and what tells its process from others.

    What it raises is the last that is said, and the process exits with the code that says why.
    """
    _configure(role, **process)
    try:
        yield
    except MaskstreamError as error:
        _log.error("%s", error)
        sys.exit(error.exit_code)
    except Exception:
        _log.exception("an internal error")
        sys.exit(EXIT_SOFTWARE)


def _configure(role: str, **process: int) -> None:
    if isinstance(sys.stderr, TextIOWrapper):
        # JSON is in UTF-8 (RFC 8259, 8.1), whatever the locale; what has no form in it is escaped.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    written = _for_people() if sys.stderr.isatty() else _for_programs()
    handler = _Stderr()
    handler.setFormatter(
        ProcessorFormatter(processors=[_Described({"role": role, **process}), *written])
    )
    handler.addFilter(_Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("stream").setLevel(logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _of_a_thread


def _for_people() -> list[structlog.typing.Processor]:
    # The usual formatter of exceptions shows local variables: those may be secrets.
    lines = ConsoleRenderer(
        pad_event_to=0,
        pad_level=False,
        sort_keys=False,
        timestamp_key="time",
        exception_formatter=plain_traceback,
    )
    return [_short, lines]


def _for_programs() -> list[structlog.typing.Processor]:
    return [format_exc_info, JSONRenderer(ensure_ascii=False, separators=(",", ":"))]


class _Described:
    """Says of a record when, how grave, by whom, and what it is about."""

    def __init__(self, process: dict[str, Any]) -> None:
        self._process = process

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        record: logging.LogRecord = event["_record"]
        trace_id = tracing.trace_id()
        return {
            "time": rfc3339(round(record.created * 1e6)),
            "level": record.levelname.lower(),
            "event": event["event"],
            "logger": record.name,
            **self._process,
            **context.known(),
            **({} if trace_id is None else {"trace_id": trace_id}),
            **{key: event[key] for key in ("exc_info",) if key in event},
        }


def _short(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The time of day here, and who speaks only where it is not us."""
    event["time"] = time.strftime("%H:%M:%S")
    if event["logger"].partition(".")[0] in OURS:
        del event["logger"]
    return event


def _of_a_thread(failed: threading.ExceptHookArgs) -> None:
    name = "" if failed.thread is None else failed.thread.name
    if failed.exc_value is not None:
        _log.error("thread %s failed", name, exc_info=failed.exc_value)


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
    """Lets each message of others through once in `QUIET_S`, whatever its numbers. Any thread may
    log.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._said_s: OrderedDict[str, float] = OrderedDict()
        """When each was let through last, the longest ago first."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in OURS:
            return True
        said = record.getMessage() if record.msg == "%s" else str(record.msg)
        with self._lock:
            return self._may_say(said, time.monotonic())

    def _may_say(self, said: str, now_s: float) -> bool:
        if now_s - self._said_s.get(said, -QUIET_S) < QUIET_S:
            return False
        self._said_s[said] = now_s
        self._said_s.move_to_end(said)
        if len(self._said_s) > MOST_KNOWN:
            self._said_s.popitem(last=False)
        return True
