"""The composition root: the one part of ``stream`` that imports connectors.

Each command lives in a module of its own and imports what it needs when it runs, so that
``maskstream --help`` is quick and the plain install needs no model backend.
"""

import os
import sys
import threading
import traceback

from stream.cli.stop import end_on_signals
from stream.errors import EXIT_SOFTWARE, MaskstreamError

LASTING = {"run", "demo", "ingest", "segment", "watch", "notify", "web", "compare"}
"""Commands that go on until they are stopped."""


def main() -> None:
    """Run the command line; a `MaskstreamError` becomes its message and its exit code.

    Anything else that is raised is a fault of ours: it is shown whole, and the process ends with
    the exit code of an internal error.
    """
    if LASTING.intersection(sys.argv[1:2]):
        end_on_signals()
    try:
        _run()
    except SystemExit as end:
        _wait_for_no_camera(end)
        raise


def _wait_for_no_camera(end: SystemExit) -> None:
    """End at once where threads are left: they wait for cameras that sent nothing for a while."""
    if isinstance(end.code, int) and threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


def _run() -> None:
    from stream.cli.app import app

    try:
        app()
    except MaskstreamError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        sys.exit(EXIT_SOFTWARE)
