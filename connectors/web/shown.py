"""A picture on show: what goes to browsers is made once, however many look."""

import asyncio
from functools import cached_property
from typing import Any

import cv2
import msgspec

from connectors.jpeg import JpegCodec
from stream.codec import to_json
from stream.types import Encoded, Joined, Pixels

QUALITY = 82
WALL_PX = 640
"""Longer side of pixels that are encoded for a tile of the wall. A picture that is a JPEG already
goes as it is: to decode and encode it again takes several times as long as to send it."""

_codec = JpegCodec(QUALITY, max_bytes=0, max_pixels=0)  # it only encodes here
_encoder = msgspec.json.Encoder()


class Shown:
    """A frame with what was seen in it. ``number`` rises along its camera, ``heard_us`` is
    when it came.
    """

    def __init__(self, number: int, heard_us: int, joined: Joined) -> None:
        self.number = number
        self.heard_us = heard_us
        self.joined = joined
        self._made: dict[int, asyncio.Task[bytes]] = {}

    @cached_property
    def about(self) -> str:
        """The fields of the message that goes before the picture: the frame, and result and tracks
        as on the topics. See `said`.
        """
        frame, result, tracks = self.joined.frame, self.joined.result, self.joined.tracks
        fields: dict[str, Any] = {
            "number": self.number,
            "heard_us": self.heard_us,
            "camera": frame.id.camera,
            "epoch": frame.id.epoch,
            "seq": frame.id.seq,
            "size": frame.size,
            "time_us": frame.time_us,
            "result": msgspec.Raw(to_json(result)) if result else None,
            "tracks": msgspec.Raw(to_json(tracks)) if tracks else None,
        }
        return _encoder.encode(fields).decode()

    async def jpeg(self, most_px: int | None = None) -> bytes:
        """The picture; where it has to be encoded, its longer side is at most ``most_px``."""
        picture = self.joined.frame.picture
        if isinstance(picture, Encoded):
            return picture.jpeg
        side = max(picture.pixels.shape[:2])
        side = side if most_px is None else min(side, most_px)
        if side not in self._made:
            work = asyncio.to_thread(encoded, picture.pixels, side)
            self._made[side] = asyncio.create_task(work)
        return await asyncio.shield(self._made[side])


def said(kind: str, about: str) -> str:
    """The message of a kind with the fields of `Shown.about`."""
    return f'{{"type":"{kind}",{about[1:]}'


def encoded(pixels: Pixels, side: int) -> bytes:
    """A JPEG whose longer side is ``side`` px."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(pixels.dtype)
    return _codec.encode(pixels).jpeg
