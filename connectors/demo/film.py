"""Draw the demo film and write it as H.264."""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import av
import cv2

from connectors.demo.cast import LENGTH
from connectors.demo.geometry import HEIGHT, WIDTH
from connectors.demo.render import Backdrop, Frame, Image, render
from connectors.demo.script import light_at, things_at
from connectors.demo.stage import CAMERA, YARD

FPS = 15
FILM = Path(__file__).parent / "data" / "yard.mp4"

_FINER = 2  # drawn twice as fine as shown, for smooth edges
_OPTIONS = {"crf": "25", "preset": "slow", "tune": "animation"}


def frame_at(time: float) -> Frame:
    """The film's frame at `time` seconds, with its true masks."""
    return render(things_at(time), _backdrop(), CAMERA, light_at(time))


@cache
def _backdrop() -> Backdrop:
    return YARD.backdrop(CAMERA, _FINER)


def write(path: Path, seconds: float = LENGTH, processes: int = 2) -> None:
    """Draw the first `seconds` of the loop and write them to `path` as an mp4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    # spawned, as a fork after OpenCV has started its threads may hang
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        _encode(part, pool.imap(_drawn, range(round(seconds * FPS)), chunksize=15))
    part.replace(path)  # whoever plays the film meanwhile sees the old one whole


def _drawn(index: int) -> Image:
    cv2.setNumThreads(1)
    return frame_at(index / FPS).image


def _encode(path: Path, images: Iterable[Image]) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = 4 * FPS  # a player that joins late waits 4 s at most
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def main() -> None:
    """The command: `python -m connectors.demo.film`."""
    parser = argparse.ArgumentParser(description="Draw the demo film.")
    parser.add_argument("--out", type=Path, default=FILM)
    parser.add_argument("--seconds", type=float, default=LENGTH)
    given = parser.parse_args()
    write(given.out, given.seconds)
    print(f"wrote {given.out.name}: {given.out.stat().st_size / 1e6:.2f} MB, {given.seconds:g} s")


if __name__ == "__main__":
    main()
