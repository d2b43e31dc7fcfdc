"""A picture in a request: what it is, whether it may be so large, and its pixels."""

import asyncio
import base64
import binascii
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from connectors.jpeg import JpegCodec
from connectors.png import SIGNATURE, decode_png
from connectors.web.problem import refused, wrong
from stream.config.redact import shown
from stream.errors import DecodeError, TooLargeError
from stream.types import Encoded, Pixels

JPEG, PNG, JSON = "image/jpeg", "image/png", "application/json"
_MAGIC = {JPEG: b"\xff\xd8\xff", PNG: SIGNATURE}
READ_S = 30.0
"""How long a body may take to come: it holds a place in the queue meanwhile."""
_AROUND = 1024
"""Bytes that the JSON around a picture may have."""


class JsonPicture(Struct, frozen=True, forbid_unknown_fields=True):
    """For programs that send no bytes: ``picture`` is a JPEG or PNG in base64."""

    picture: Annotated[
        str,
        Meta(min_length=1, extra_json_schema={"contentEncoding": "base64", "format": "picture"}),
    ]


BODY = {JPEG: None, PNG: None, JSON: JsonPicture}


class Pictures:
    """Takes pictures of at most ``max_bytes`` and ``max_pixels``, judged before decoding."""

    def __init__(self, max_bytes: int, max_pixels: int) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._jpeg = JpegCodec(100, max_bytes, max_pixels)

    def check(self, request: web.Request) -> None:
        """Refuse by its head a request that would be refused anyway."""
        if request.content_type not in BODY:
            given = request.headers.get("Content-Type", "nothing")
            raise wrong("Content-Type", shown(given), ", ".join(BODY), 415)
        length = request.content_length
        if length is not None and length > self._most(request.content_type):
            raise self._too_large(f"{length} bytes")

    async def read(self, request: web.Request) -> bytes:
        """The JPEG or PNG that was sent."""
        body = await self._body(request)
        if request.content_type != JSON:
            if not body.startswith(_MAGIC[request.content_type]):
                told = f"what begins {body[:8].hex(' ') or 'with nothing'}"
                raise wrong("body", told, f"{request.content_type}, as Content-Type says", 415)
            return body
        picture = _from_json(body)
        if not picture.startswith(tuple(_MAGIC.values())):
            told = f"what begins {picture[:8].hex(' ') or 'with nothing'}"
            raise wrong("picture", told, "a JPEG or PNG in base64")
        if len(picture) > self._max_bytes:
            raise self._too_large(f"{len(picture)} bytes")
        return picture

    def decoded(self, picture: bytes) -> Pixels:
        """Its pixels, BGR; how it says that it should be turned is not heeded."""
        try:
            if picture.startswith(SIGNATURE):
                return decode_png(picture, self._max_pixels)
            return self._jpeg.decode(Encoded(picture))
        except TooLargeError as error:
            raise self._too_large(str(error)) from None
        except DecodeError as error:
            raise refused(400, f"body: {error}") from None

    async def _body(self, request: web.Request) -> bytes:
        most = self._most(request.content_type)
        parts, size = [], 0
        try:
            async with asyncio.timeout(READ_S):
                async for part in request.content.iter_any():
                    parts.append(part)
                    size += len(part)
                    if size > most:
                        raise self._too_large(f"more than {most} bytes")
        except TimeoutError:
            raise refused(408, f"the body took longer than {READ_S:g} s") from None
        return b"".join(parts)

    def _most(self, content_type: str) -> int:
        in_base64 = -(-self._max_bytes // 3) * 4
        return in_base64 + _AROUND if content_type == JSON else self._max_bytes

    def _too_large(self, given: str) -> Exception:
        megapixels = self._max_pixels / 1e6
        return wrong("body", given, f"{self._max_bytes} bytes and {megapixels:.1f} MP", 413)


_decoder = msgspec.json.Decoder(JsonPicture)


def _from_json(body: bytes) -> bytes:
    try:
        return base64.b64decode(_decoder.decode(body).picture, validate=True)
    except RecursionError:
        raise wrong("body", "JSON that is nested too deeply", '{"picture": BASE64}') from None
    except binascii.Error as error:
        raise wrong("picture", f"no base64: {error}", "a JPEG or PNG in base64") from None
    except ValueError as error:  # msgspec's errors are, and base64's for other than ASCII
        raise wrong("body", str(error), '{"picture": BASE64}') from None
