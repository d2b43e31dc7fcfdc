"""Small video files, written as they are needed."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

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


def loop_clip(clip: Path, path: Path, seconds: float) -> int:
    """Write ``clip`` again and again until there are so many seconds; returns how many frames.

    Packets are copied as they are.
    """
    with av.open(str(path), "w") as target, av.open(str(clip)) as source:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        frames = round(seconds * float(video.average_rate))
        for number, packet in zip(range(frames), _again_and_again(source), strict=False):
            turns, length = number // video.frames, video.duration
            packet.pts += turns * length
            packet.dts += turns * length
            packet.stream = copy
            target.mux(packet)
    return frames


def _again_and_again(source: Any) -> Iterator[Any]:
    while True:
        yield from (packet for packet in source.demux(video=0) if packet.dts is not None)
        source.seek(0)


def write_sound(path: Path) -> Path:
    """A file with a second of silence and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return path
