"""Files that a run writes beside the topics."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.errors import ConfigError


@contextmanager
def line_writer(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that writes one line to ``path``, made anew; readers may follow as it grows.

    Raises `ConfigError` when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise ConfigError(f"outputs: {path}: {error.strerror}; allowed: a writable file") from error
    with file:
        yield lambda line: file.writelines((line, b"\n"))
