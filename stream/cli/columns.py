"""Rows for people and for pipes: nothing is cut or wrapped."""

from collections.abc import Iterable


def print_columns(rows: Iterable[tuple[str, ...]]) -> None:
    """Print a line for each row, its cells under each other."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
