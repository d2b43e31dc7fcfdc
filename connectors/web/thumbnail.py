"""A small picture of what an alert is about."""

import base64

import cv2

from connectors.jpeg import JpegCodec
from stream.errors import RecordError
from stream.types import Box, Picture

SIDE_PX = 112
"""Twice what the page gives it, for screens with fine dots."""
AROUND = 1.2
"""How much of the surroundings is in it: side of the cut over the longer side of the box."""

_codec = JpegCodec(85, max_bytes=32_000_000, max_pixels=64_000_000)


def thumbnail(picture: Picture, box: Box) -> str | None:
    """The square around ``box`` as a ``data:`` URL of a JPEG; None if nothing can be cut."""
    try:
        pixels = _codec.decode(picture)
    except RecordError:
        return None
    height, width = pixels.shape[:2]
    side = min(round(max(box[2] - box[0], box[3] - box[1]) * AROUND), height, width)
    if side < 1:
        return None
    x = max(0, min(round((box[0] + box[2] - side) / 2), width - side))
    y = max(0, min(round((box[1] + box[3] - side) / 2), height - side))
    cut = pixels[y : y + side, x : x + side]
    small = cv2.resize(cut, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    jpeg = _codec.encode(small).jpeg
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
