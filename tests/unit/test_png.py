"""PNG from outside: whole ones are read to the pixel, others are refused."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from connectors.png import SIGNATURE, decode_png
from stream.errors import DecodeError, TooLargeError
from stream.types import Pixels
from tests.support.encoded import png

MOST = 10_000
_sides = st.integers(1, 12)
_pixels = st.tuples(_sides, _sides).flatmap(lambda size: arrays(np.uint8, (*size, 3)))


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return len(data).to_bytes(4) + kind + data + check.to_bytes(4)


def header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0]))


@given(_pixels)
def test_a_whole_picture_is_read_to_the_pixel(pixels: Pixels) -> None:
    assert np.array_equal(decode_png(png(pixels), MOST), pixels)


@given(_pixels, st.data())
def test_a_byte_that_changed_is_found(pixels: Pixels, data: st.DataObject) -> None:
    body = bytearray(png(pixels))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((DecodeError, TooLargeError)):
        decode_png(bytes(body), MOST)


@given(_pixels, st.data())
def test_what_is_cut_off_or_comes_after_is_found(pixels: Pixels, data: st.DataObject) -> None:
    body = png(pixels)
    with pytest.raises(DecodeError):
        decode_png(body[: data.draw(st.integers(0, len(body) - 1))], MOST)
    with pytest.raises(DecodeError, match="trailing data"):
        decode_png(body + data.draw(st.binary(min_size=1)), MOST)


def test_the_header_is_judged_before_anything_is_decoded() -> None:
    with pytest.raises(TooLargeError, match=r"101×100 > 0\.0 MP"):
        decode_png(SIGNATURE + header(101, 100), MOST)


@pytest.mark.parametrize("rows", [0, 3, 5])
def test_a_picture_with_too_few_or_too_many_rows_says_so(rows: int) -> None:
    data = zlib.compress(bytes(1 + 3 * 4) * rows)
    body = SIGNATURE + header(4, 4) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    if rows > 4:  # the surplus is no part of the picture, and libpng leaves it out
        assert decode_png(body, MOST).shape == (4, 4, 3)
        return
    with pytest.raises(DecodeError):
        decode_png(body, MOST)


def test_what_does_not_make_the_pixels_is_left_out() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    body = png(pixels)
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10_000_000)))
    turned = chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
    assert np.array_equal(decode_png(body[:33] + bomb + turned + body[33:], MOST), pixels)
