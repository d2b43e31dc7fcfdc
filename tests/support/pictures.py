"""Real pictures: read from clips, changed as a camera's trouble changes them, and encoded again."""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from stream.seeing import Look, thumbnail
from stream.types import Pixels
from tests.support.clock import START_US

PEOPLE, BOTTLES = "one-by-one-person-detection.mp4", "bottle-detection.mp4"


@cache
def thumbnails(clip: Path) -> tuple[list[np.ndarray], float]:
    """All of a clip in small, and its frames a second."""
    with av.open(str(clip)) as container:
        rate = float(container.streams.video[0].average_rate or 0)
        frames = [thumbnail(each.to_ndarray(format="bgr24")) for each in container.decode(video=0)]
    return frames, rate


def pictures(clip: Path, first_s: float, seconds: float, every: int = 1) -> list[Pixels]:
    """A part of a clip, every so manieth picture."""
    with av.open(str(clip)) as container:
        rate = float(container.streams.video[0].average_rate or 0)
        first, last = round(first_s * rate), round((first_s + seconds) * rate)
        frames = islice(container.decode(video=0), first, last, every)
        return [frame.to_ndarray(format="bgr24") for frame in frames]


def looks_of(small: Iterable[np.ndarray], fps: float, first: int = 0) -> list[Look]:
    """Looks at thumbnails that come so many a second, numbered from ``first``."""
    return [
        Look(first + index, START_US + round((first + index) / fps * 1e6), each)
        for index, each in enumerate(small)
    ]


def looks_at(seen: Iterable[Pixels], fps: float, first: int = 0) -> list[Look]:
    """Looks at pictures that come so many a second, numbered from ``first``."""
    return looks_of(map(thumbnail, seen), fps, first)


def write_film(target: Any, seen: Sequence[Pixels], codec: str, fps: int, **options: str) -> None:
    """Encode these pictures into an mp4 file."""
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.pix_fmt, stream.options = "yuv420p", options
        stream.height, stream.width = seen[0].shape[:2]
        for pixels in seen:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "bgr24")))
        container.mux(stream.encode())


def encoded_again(seen: Sequence[Pixels], codec: str, fps: int, **options: str) -> list[Pixels]:
    """What comes out of a codec when these pictures go in."""
    film = io.BytesIO()
    write_film(film, seen, codec, fps, **options)
    film.seek(0)
    with av.open(film) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def shifted(pixels: Pixels, across: float, down: float) -> Pixels:
    """As a camera sees it that was pushed by parts of width and height."""
    height, width = pixels.shape[:2]
    return _warped(pixels, np.array([[1, 0, across * width], [0, 1, down * height]]))


def turned(pixels: Pixels, degrees: float, zoom: float = 1.0) -> Pixels:
    """As a camera sees it that was turned about its axis."""
    height, width = pixels.shape[:2]
    return _warped(pixels, cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom))


def lit(pixels: Pixels, gain: float) -> Pixels:
    """The same in other light."""
    brighter: Pixels = np.clip(pixels * gain, 0, 255).astype(np.uint8)
    return brighter


def _warped(pixels: Pixels, matrix: np.ndarray) -> Pixels:
    size = pixels.shape[1::-1]
    warped: Pixels = cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REFLECT)
    return warped
