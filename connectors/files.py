"""Files that a run writes beside the topics."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from stream.errors import ConfigError


@contextmanager
def line_writer(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that writes one line to ``path``, made anew; readers may follow as it grows.

    A line is in the file when the function returns. Raises `ConfigError` when the file cannot be
    made, and from the function when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb", buffering=0)
    except OSError as error:
        raise _refused(path, error) from error

    def write(line: bytes) -> None:
        try:
            _write(file, line + b"\n")
        except OSError as error:
            raise _refused(path, error) from error

    with file:
        yield write


def _write(file: FileIO, line: bytes) -> None:
    left = memoryview(line)
    while left:  # a disk that is nearly full takes a part
        left = left[file.write(left) :]


def _refused(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"outputs: {path}: {error.strerror}; allowed: a writable file")
