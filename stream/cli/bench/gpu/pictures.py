"""Real pictures as JPEG: frames spread over a clip, in a file that every contestant reads."""

from pathlib import Path

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.jpeg import JpegCodec
from connectors.models.letterbox import fit, letterbox
from connectors.models.network import Query
from stream.cli.bench.clips import frame_count, require
from stream.cli.bench.contestants import CONFIDENCE, IMAGE_SIZE, IOU
from stream.ports import Window
from stream.specs import PicturesSpec
from stream.types import Encoded, Pixels, Size

COUNT = 64
STRIDE = 32
_codec = JpegCodec.of(PicturesSpec())


def write(clip: Path, shape: Size, path: Path) -> Size:
    """Write `COUNT` pictures of ``clip`` that are letterboxed to ``shape``; returns their size.

    For a square network input their middle square is cut out.
    """
    every = max(1, frame_count(require(clip)) // COUNT)
    chosen: list[Pixels] = []
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(container.streams.video[0])):
            if index % every == 0 and len(chosen) < COUNT:
                chosen.append(_cut(frame.to_ndarray(format="bgr24"), is_square=len({*shape}) == 1))
    path.write_bytes(msgspec.msgpack.encode([_codec.encode(each).jpeg for each in chosen]))
    size = chosen[0].shape[:2]
    assert fit(size, IMAGE_SIZE, STRIDE).network == shape, f"{clip} is not for {shape}"
    return size


def _cut(pixels: Pixels, *, is_square: bool) -> Pixels:
    if not is_square:
        return pixels
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def jpegs(path: Path) -> list[Encoded]:
    """The pictures as they came."""
    return [Encoded(each) for each in msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])]


def decoded(pictures: list[Encoded]) -> list[Pixels]:
    """Their pixels."""
    return [_codec.decode(each) for each in pictures]


def letterboxed(path: Path, count: int) -> tuple[NDArray[np.uint8], list[Query]]:
    """``count`` network inputs, (count, height, width, 3) BGR, over and over the same pictures, and
    what is asked of each.
    """
    pixels = decoded(jpegs(path))
    height, width = pixels[0].shape[:2]
    geometry = fit((height, width), IMAGE_SIZE, STRIDE)
    inputs = np.empty((count, *geometry.network, 3), np.uint8)
    for index, each in enumerate(inputs):
        window = Window(0, 0, width, height)
        letterbox(pixels[index % len(pixels)], window, geometry, each)
    query = Query(geometry, (0, 0), height, CONFIDENCE, IOU, wanted=None)
    return inputs, [query] * count
