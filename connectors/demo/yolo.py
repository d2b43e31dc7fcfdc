"""Ultralytics, kept from reaching out of this repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "demo"
"""Where the demo keeps what it makes; git ignores it."""

WEIGHTS = CACHE / "yard-seg.pt"
"""The trained model."""

IMAGE_SIZE = 416
"""The longer side in pixels that the model sees; the shorter is 256 with its padding."""


def load(source: str | Path) -> Any:
    """A model from weights or, with random weights, from the name of an architecture.

    `ultralytics` reads its environment when it is imported: hence set first and imported here. It
    would otherwise install packages and download weights at run time.
    """
    settings = CACHE / "ultralytics"
    settings.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_CONFIG_DIR": str(settings),
    }
    from ultralytics import YOLO

    return YOLO(str(source), task="segment")
