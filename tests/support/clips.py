"""Small video files, written as they are needed."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from stream.types import Size

STEP = 20
"""Grey levels between two frames of a clip: more than a codec blurs."""


def write_clip(
    path: Path,
    frames: int,
    *,
    rate: Fraction | int = 10,
    size: Size = (48, 64),
    tags: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Path:
    """A clip whose frame ``n`` is grey, at level ``n * STEP``."""
    with av.open(str(path), "w", options=dict(options or {})) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = size
        for number in range(frames):
            pixels = np.full((*size, 3), number * STEP % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "bgr24")))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file with a second of silence and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return path
