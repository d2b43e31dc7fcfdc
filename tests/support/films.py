"""Films as cameras encode them: generated, small, in any codec."""

from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from stream.types import Pixels, Size

BAR_PX = 16


class Film(NamedTuple):
    """A bar that wanders over a grey picture; ``keyframes_s`` is what a decoder waits for."""

    codec: str = "libx264"
    size: Size = (120, 160)
    fps: int = 25
    seconds: float = 4.0
    keyframes_s: float = 0.4
    between: int = 0
    """B-frames: no other picture is made of them."""


_OPTIONS = {
    "libx264": {"x264-params": "b-adapt=0:b-pyramid=none"},
    "libx265": {"x265-params": "log-level=error:b-adapt=0:b-pyramid=0"},
}


def picture(film: Film, number: int) -> Pixels:
    """What the film shows."""
    pixels = np.full((*film.size, 3), 96, np.uint8)
    at = number * 3 % (film.size[1] - BAR_PX)
    pixels[:, at : at + BAR_PX] = 224
    return pixels


def write_film(path: Path, film: Film) -> Path:
    """An .mp4, or an .avi of MJPEG."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(film.codec, rate=film.fps, options=_OPTIONS.get(film.codec))
        stream.height, stream.width = film.size
        stream.pix_fmt = "yuvj420p" if film.codec == "mjpeg" else "yuv420p"
        stream.gop_size = round(film.keyframes_s * film.fps)
        stream.max_b_frames = film.between
        for number in range(round(film.seconds * film.fps)):
            shown = av.VideoFrame.from_ndarray(picture(film, number), "bgr24")
            container.mux(stream.encode(shown))
        container.mux(stream.encode())
    return path
