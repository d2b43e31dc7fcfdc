"""Pixels to JPEG and back, with libjpeg-turbo.

``simplejpeg`` rather than OpenCV because it refuses a damaged picture, where OpenCV makes up the
rest and goes on: a made-up picture must never reach the model.
"""

from typing import Self

import simplejpeg

from stream.errors import DecodeError, TooLargeError
from stream.specs import PicturesSpec
from stream.types import Encoded, Picture, Pixels

START_OF_SCAN = 0xDA
END_OF_IMAGE = b"\xff\xd9"


class JpegCodec:
    """Encodes at a quality, decodes within limits.

    ``quality`` is libjpeg's 1…100; ``max_bytes`` and ``max_pixels`` bound what is decoded, and are
    judged on the header, before memory is taken for the picture.
    """

    def __init__(self, quality: int, max_bytes: int, max_pixels: int) -> None:
        self._quality = quality
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    @classmethod
    def of(cls, pictures: PicturesSpec) -> Self:
        """The codec that the settings ask for."""
        return cls(pictures.quality, pictures.max_bytes, pictures.max_pixels)

    def encode(self, pixels: Pixels) -> Encoded:
        """``pixels`` as a JPEG with 4:2:0 chroma."""
        jpeg = simplejpeg.encode_jpeg(
            pixels, quality=self._quality, colorspace="BGR", colorsubsampling="420"
        )
        return Encoded(jpeg)

    def decode(self, picture: Picture) -> Pixels:
        """The pixels of a picture.

        Raises `TooLargeError` over a limit and `DecodeError` for anything but one whole JPEG.
        """
        if not isinstance(picture, Encoded):
            return picture.pixels
        jpeg = picture.jpeg
        if len(jpeg) > self._max_bytes:
            raise TooLargeError(f"{len(jpeg)} bytes > {self._max_bytes}")
        try:
            height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
            if height * width > self._max_pixels:
                megapixels = self._max_pixels / 1e6
                raise TooLargeError(f"{width}×{height} > {megapixels:.1f} MP")
            pixels: Pixels = simplejpeg.decode_jpeg(jpeg, colorspace="BGR")
            end = _end(jpeg)
        except (ValueError, IndexError) as error:
            raise DecodeError(f"not a whole JPEG ({len(jpeg)} bytes): {error}") from error
        if end != len(jpeg):
            raise DecodeError(f"{len(jpeg) - end} bytes of trailing data after the picture")
        return pixels


def _end(jpeg: bytes) -> int:
    """Where a picture that was decoded ends.

    Segments before the first scan may hold whole pictures (an Exif thumbnail) and are stepped
    over; from there on no coded data holds the end marker (ITU-T T.81, B.1.1.5).
    """
    at = 2
    while jpeg[at + 1] != START_OF_SCAN:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4]) if jpeg[at + 1] != 0xFF else 1
    return jpeg.index(END_OF_IMAGE, at) + len(END_OF_IMAGE)
