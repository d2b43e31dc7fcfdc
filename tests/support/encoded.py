"""Pictures as files have them."""

import cv2

from connectors.jpeg import JpegCodec
from stream.types import Pixels

_JPEG = JpegCodec(95, max_bytes=10**7, max_pixels=10**7)


def jpeg(pixels: Pixels) -> bytes:
    return _JPEG.encode(pixels).jpeg


def png(pixels: Pixels) -> bytes:
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()
