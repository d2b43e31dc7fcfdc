"""The composition root: the one part of ``stream`` that imports connectors.

Each command lives in a module of its own and imports what it needs when it runs, so that
``maskstream --help`` is quick and the plain install needs no model backend.
"""

import sys

from stream.errors import EXIT_FORCED, MaskstreamError


def main() -> None:
    """Run the command line; a `MaskstreamError` becomes its message and its exit code."""
    from stream.cli.app import app

    try:
        app()
    except MaskstreamError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_FORCED)
