"""PNG to pixels, for pictures from outside.

libpng reads what it can of a damaged file and OpenCV goes on with it, so each part is checked
before either sees it; and what does not make the pixels (profiles, texts, rotation, animation) is
left out, as nobody checks how large that becomes.
"""

import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from stream.errors import DecodeError, TooLargeError
from stream.types import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""The critical chunks (W3C PNG, section 5.6)."""


def decode_png(png: bytes, max_pixels: int) -> Pixels:
    """The pixels of a PNG as BGR, eight bits deep, without its transparency.

    Raises `TooLargeError` over the limit, judged on the header, and `DecodeError` for anything but
    one whole PNG.
    """
    header = png[16:24] if png.startswith(SIGNATURE) and png[12:16] == b"IHDR" else b""
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:])
    if not width or not height:
        raise DecodeError(f"not a whole PNG ({len(png)} bytes): no header")
    if width * height > max_pixels:
        raise TooLargeError(f"{width}×{height} > {max_pixels / 1e6:.1f} MP")
    kept = b"".join(chunk for kind, chunk in _chunks(png) if kind in _PIXELS)
    pixels = cv2.imdecode(np.frombuffer(SIGNATURE + kept, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None or pixels.shape != (height, width, 3):
        raise DecodeError(f"not a whole PNG ({len(png)} bytes): its pixels cannot be read")
    read: Pixels = pixels
    return read


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk with its kind, up to the last. Raises `DecodeError` where one is damaged."""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        head = png[at : at + 8]
        length = int.from_bytes(head[:4])
        chunk, kind = png[at : at + 12 + length], head[4:]
        if len(chunk) != 12 + length:
            raise DecodeError(f"not a whole PNG ({len(png)} bytes): it ends at {len(png)}")
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise DecodeError(f"not a whole PNG ({len(png)} bytes): damaged at {at}")
        yield kind, chunk
        at += len(chunk)
    if at != len(png):
        raise DecodeError(f"{len(png) - at} bytes of trailing data after the picture")
