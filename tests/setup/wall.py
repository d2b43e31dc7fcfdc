"""Cameras for a picture of the wall: parts of the demo's film, cut out here and there.

All that is shown of them is what the pipeline makes of these films with the demo's own model.
"""

import asyncio
import json
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2

from connectors.annotate import VideoWriter
from connectors.demo.geometry import HEIGHT, WIDTH
from connectors.demo.stage import LOADING_ZONE

SECONDS = 20.0
EVERY = 3
"""Of the film's 15 frames a second every third is taken: nine cameras are decoded at once."""
Cut = tuple[float, float, float]
"""Left and top as fractions of the film's picture, and how much of it there is."""
CUTS: dict[str, tuple[Cut, float]] = {
    "yard": ((0.0, 0.0, 1.0), 8.0),
    "loading-bay": ((0.38, 0.34, 0.62), 22.0),
    "gate-west": ((0.0, 0.22, 0.6), 2.0),
    "racks": ((0.18, 0.12, 0.5), 40.0),
    "yard-east": ((0.0, 0.0, 1.0), 50.0),
    "dock-2": ((0.45, 0.3, 0.55), 60.0),
    "gate-south": ((0.15, 0.3, 0.65), 45.0),
    "entrance": ((0.25, 0.14, 0.45), 14.0),
}
"""The camera's name → what it shows of the film, from which second on."""
LOST = {"id": "rear-door", "url": "rtsp://127.0.0.1:9/rear-door"}
"""Nobody listens there (the port is that of RFC 863)."""


def configuration(folder: Path) -> Path:
    """A configuration of nine cameras under ``folder``; films that are there are kept."""
    for name, (cut, start_s) in CUTS.items():
        if not (folder / f"{name}.mp4").is_file():
            asyncio.run(_film(folder / f"{name}.mp4", cut, start_s))
    cameras: list[dict[str, Any]] = [
        {"id": name, "url": f"{name}.mp4", "mode": "live", "loop": True, "fps": 1} for name in CUTS
    ]
    settings = {
        "model": {
            "weights": str(files("connectors.demo").joinpath("data/yard-seg")),
            "image_size": 416, "confidence": 0.4,
        },
        "cameras": [*cameras, LOST],
        "zones": [
            {"id": "loading", "camera": "yard", "polygon": LOADING_ZONE},
            {"id": "bay", "camera": "loading-bay", "polygon": _within(CUTS["loading-bay"][0])},
        ],
        "rules": [
            {"id": "person-in-bay", "kind": "presence", "zone": "bay", "labels": ["person"],
             "overlap": 0.15, "severity": "critical"},
            {"id": "person-in-zone", "kind": "presence", "zone": "loading", "labels": ["person"],
             "overlap": 0.15},
            {"id": "crowd", "kind": "count", "camera": "gate-west", "labels": ["person"],
             "at_least": 3, "severity": "info"},
            {"id": "camera-lost", "kind": "health", "conditions": ["lost"], "severity": "warning"},
        ],
    }  # fmt: skip
    path = folder / "wall.yaml"
    path.write_text(json.dumps(settings))
    return path


def _within(cut: Cut) -> list[tuple[float, float]]:
    """The loading zone in a part of the picture."""
    left, top, part = cut
    inside = ((min((x - left) / part, 1), min((y - top) / part, 1)) for x, y in LOADING_ZONE)
    return [(round(x, 4), round(y, 4)) for x, y in inside]


async def _film(path: Path, cut: Cut, start_s: float) -> None:
    left, top, part = cut
    x, y = round(left * WIDTH), round(top * HEIGHT)
    async with VideoWriter(path, quality=20) as writer:
        with av.open(str(files("connectors.demo").joinpath("data/yard.mp4"))) as film:
            for frame in islice(film.decode(video=0), 0, None, EVERY):
                if start_s <= frame.time < start_s + SECONDS:
                    pixels = frame.to_ndarray(format="bgr24")
                    seen = pixels[y : y + round(part * HEIGHT), x : x + round(part * WIDTH)]
                    large = cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
                    await writer.write(large, round((frame.time - start_s) * 1e6))
