"""Take the picture of docs/evidence.md: the snapshot that the example of docs/webhooks.md makes.

Run as ``python -m tests.setup.evidence_picture``.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.support.webhook_page import done

TARGET = Path(__file__).resolve().parents[2] / "docs" / "images" / "evidence.jpg"


def main() -> None:
    """Follow the example, and keep what its first real alert links to."""
    with TemporaryDirectory() as folder:
        lines = done(Path(folder))
        print(*lines, sep="\n")
        (link, *_) = (line.split()[-1] for line in lines if "file:" in line)
        shutil.copyfile(urlsplit(link).path, TARGET)


if __name__ == "__main__":
    main()
