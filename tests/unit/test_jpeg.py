"""Pixels to JPEG and back, and what is refused before it costs anything."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jpeg import JpegCodec
from stream.errors import DecodeError, RecordError, TooLargeError
from stream.types import Encoded, Pixels, Raw
from tests.support.build import picture

CODEC = JpegCodec(quality=90, max_bytes=100_000, max_pixels=8_300_000)
PIXELS = picture((10, 8, 40, 30))
JPEG = CODEC.encode(PIXELS).jpeg


def scan(jpeg: bytes) -> int:
    """Where the coded data begins."""
    return jpeg.index(b"\xff\xda")


def claiming(height: int, width: int) -> bytes:
    """The picture with another size in its header."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + height.to_bytes(2) + width.to_bytes(2) + JPEG[at + 4 :]


def with_segment(body: bytes) -> bytes:
    """The picture with an application segment of its own before the rest."""
    return JPEG[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + JPEG[2:]


def test_a_picture_comes_back_nearly_as_it_was() -> None:
    decoded = CODEC.decode(CODEC.encode(PIXELS))
    assert (decoded.shape, decoded.dtype) == (PIXELS.shape, np.dtype(np.uint8))
    assert np.abs(decoded.astype(int) - PIXELS).mean() < 4


def test_colours_are_blue_green_red() -> None:
    red = picture()
    red[:] = (0, 0, 255)
    assert CODEC.decode(CODEC.encode(red))[20, 20].tolist() == pytest.approx([0, 0, 255], abs=4)


def test_quality_trades_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    coarse = JpegCodec(20, 10**6, 10**6).encode(noise)
    assert len(coarse.jpeg) < len(CODEC.encode(noise).jpeg)


def test_a_raw_picture_passes_as_it_is() -> None:
    assert CODEC.decode(Raw(PIXELS)) is PIXELS


@pytest.mark.parametrize(
    "flags", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]]
)
def test_pictures_of_other_writers_are_read(flags: list[int]) -> None:
    for pixels in (PIXELS, PIXELS[..., 0]):
        _, encoded = cv2.imencode(".jpg", pixels, flags)
        assert CODEC.decode(Encoded(encoded.tobytes())).shape == PIXELS.shape


def test_a_thumbnail_in_the_header_is_not_taken_for_the_end() -> None:
    assert CODEC.decode(Encoded(with_segment(b"Exif\0\0" + JPEG))).shape == PIXELS.shape


@pytest.mark.parametrize(
    "jpeg",
    [
        b"",
        b"\x00",
        b"not a JPEG at all",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\x80\x04\x95cos\nsystem\n.",  # a pickle
        JPEG[:2],
        JPEG[: scan(JPEG)],
        JPEG[: len(JPEG) // 2],
        JPEG[:-20],
        JPEG[:-2],
        JPEG[:-1],
        b"\0" + JPEG,
    ],
)
def test_what_is_no_whole_jpeg_is_refused(jpeg: bytes) -> None:
    with pytest.raises(DecodeError, match=rf"not a whole JPEG \({len(jpeg)} bytes\)"):
        CODEC.decode(Encoded(jpeg))


@pytest.mark.parametrize("tail", [b"\0", b"junk", b"\xff\xd9", JPEG])
def test_trailing_data_is_refused(tail: bytes) -> None:
    with pytest.raises(DecodeError, match=f"{len(tail)} bytes of trailing data"):
        CODEC.decode(Encoded(JPEG + tail))


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(TooLargeError, match="100001 bytes > 100000"):
        CODEC.decode(Encoded(bytes(100_001)))


def test_too_many_pixels_are_refused_by_the_header_alone() -> None:
    with pytest.raises(TooLargeError, match=r"40000×40000 > 8\.3 MP"):
        CODEC.decode(Encoded(claiming(40_000, 40_000)))


def test_the_pixel_limit_is_inclusive() -> None:
    height, width = PIXELS.shape[:2]
    exact = JpegCodec(90, 10**6, height * width)
    assert exact.decode(Encoded(JPEG)).shape == PIXELS.shape
    with pytest.raises(TooLargeError):
        JpegCodec(90, 10**6, height * width - 1).decode(Encoded(JPEG))


def test_a_header_that_promises_more_than_comes_is_refused() -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(Encoded(claiming(480, 640)))


def decoded(jpeg: bytes) -> Pixels | None:
    """The pixels, or None where the record is refused. Any other error is one."""
    try:
        return CODEC.decode(Encoded(jpeg))
    except RecordError:
        return None


@given(st.integers(0, len(JPEG) - 1))
def test_a_picture_cut_anywhere_is_refused(length: int) -> None:
    assert decoded(JPEG[:length]) is None


@given(st.lists(st.tuples(st.integers(0, len(JPEG) - 1), st.integers(0, 255)), max_size=5))
def test_damage_gives_a_picture_or_a_typed_error(damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(JPEG)
    for at, value in damage:
        damaged[at] = value
    pixels = decoded(bytes(damaged))
    assert pixels is None or (pixels.ndim, pixels.dtype) == (3, np.dtype(np.uint8))


@given(st.binary(max_size=300))
def test_noise_gives_a_typed_error(noise: bytes) -> None:
    assert decoded(noise) is None
    assert decoded(JPEG[: scan(JPEG)] + noise) is None
