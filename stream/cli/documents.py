"""Commands that print what the code itself says: settings, schemas, the reference page."""

from pathlib import Path

from stream.cli.doubting import print_doubts
from stream.cli.model import check_known_labels
from stream.config import check_files, check_text, load, reference
from stream.schemas import schema_text, schemas


def print_checked(config: Path) -> None:
    """Print a configuration as it will be used, without its secrets, and what is doubtful in it."""
    settings = load(config)
    check_files(settings)
    check_known_labels(settings)
    print_doubts(settings)
    print(check_text(settings), end="")


def print_reference() -> None:
    """Print the reference page of the configuration."""
    print(reference(), end="")


def write_schemas(folder: Path) -> None:
    """Write one JSON Schema a payload, and say which."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        path = folder / f"{name}.json"
        path.write_text(schema_text(schema))
        print(path)
