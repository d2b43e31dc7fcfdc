"""One browser on the WebSocket ``/live``."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from connectors.jpeg import JpegCodec
from connectors.web.page import Page, Shown, cameras_text, frame_text, zones_text
from stream.specs import ZoneSpec
from stream.types import Encoded

PICTURES_PER_S = 15.0
AHEAD = 2
"""Pictures that may be on their way to a browser before it says that it drew one. The buffers of
a socket hold seconds of video; without this a slow browser would show the past."""
STATS_EVERY_S = 1.0
QUALITY = 82

_codec = JpegCodec(QUALITY, max_bytes=0, max_pixels=0)  # it only encodes here


class Viewer:
    """Sends one browser what is new, as fast as it draws; what it has no time for is skipped."""

    def __init__(self, page: Page, socket: web.WebSocketResponse) -> None:
        self._page = page
        self._socket = socket
        self._camera: str | None = None
        self._cameras: tuple[str, ...] = ()
        self._zones: tuple[ZoneSpec, ...] = ()
        self._ahead = 0
        self._picture = 0
        self._alert = 0
        self._next_picture_s = 0.0

    async def talk(self) -> None:
        """Send and listen until the browser leaves. Raises what went wrong on this side."""
        with self._page.looking() as news:
            await self._socket.send_str(self._page.hello())
            tasks = [
                asyncio.ensure_future(self._send(news)),
                asyncio.ensure_future(self._send_stats()),
                asyncio.ensure_future(self._listen(news)),
            ]
            try:
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                with suppress(ConnectionError):  # it left while something was sent
                    for task in ended:
                        task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, news: asyncio.Event) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            self._heed(_said(message.data))
            news.set()

    def _heed(self, said: dict[str, Any]) -> None:
        if "drawn" in said:
            self._ahead = max(0, self._ahead - 1)
        if isinstance(said.get("camera"), str):
            self._camera, self._picture = said["camera"], 0

    async def _send_stats(self) -> None:
        while True:
            await self._socket.send_str(self._page.stats())
            await asyncio.sleep(STATS_EVERY_S)

    async def _send(self, news: asyncio.Event) -> None:
        while True:
            await news.wait()
            news.clear()
            await self._send_cameras()
            await self._send_zones()
            for number, text in self._page.alerts(self._alert):
                await self._socket.send_str(text)
                self._alert = number
            if self._ahead < AHEAD and self._page.shown(self._camera, self._picture):
                await self._pace()
                await self._send_picture()

    async def _send_cameras(self) -> None:
        if self._page.cameras != self._cameras:
            self._cameras = self._page.cameras
            await self._socket.send_str(cameras_text(self._cameras))

    async def _send_zones(self) -> None:
        if self._page.zones != self._zones:
            self._zones = self._page.zones
            await self._socket.send_str(zones_text(self._zones))

    async def _pace(self) -> None:
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(self._next_picture_s - now_s)
        self._next_picture_s = max(now_s, self._next_picture_s) + 1 / PICTURES_PER_S

    async def _send_picture(self) -> None:
        shown = self._page.shown(self._camera, self._picture)
        if shown is None:
            return
        self._ahead += 1
        self._picture = shown.number
        text, jpeg = await asyncio.to_thread(_encoded, shown)
        await self._socket.send_str(text)
        await self._socket.send_bytes(jpeg)


def _encoded(shown: Shown) -> tuple[str, bytes]:
    picture = shown.joined.frame.picture
    if not isinstance(picture, Encoded):
        picture = _codec.encode(picture.pixels)
    return frame_text(shown.joined), picture.jpeg


def _said(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
