"""What the kernel knows of the sockets of this machine."""

from pathlib import Path

_ESTABLISHED = "01"


def connected(port: int | None) -> int:
    """How many connections the server at ``port`` of 127.0.0.1 holds."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = f"0100007F:{port:04X}"
    return sum(row[1] == local and row[3] == _ESTABLISHED for row in rows)
