"""One browser on the WebSocket ``/live``.

It says what it looks at: ``{"wall": [camera, …]}``, the tiles that are on its screen,
``{"camera": …}``, one of them large, or ``{"past": …}``, a picture of before (see `Viewer._past`);
and ``{"drawn": camera}`` for each picture that it is done with.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from connectors.web.bulletin import EVERY_S
from connectors.web.page import Page, cameras_text, recalled_text
from connectors.web.past import Moment
from connectors.web.shown import WALL_PX, Shown, said

PICTURES_PER_S, TILES_PER_S = 15.0, 8.0
"""Most of one camera, alone and on the wall."""
AHEAD = 2
"""Pictures of a camera that may be on their way to a browser before it says that it drew one; on
the wall it is one. The buffers of a socket hold seconds of video; without this a slow browser would
show the past."""
WELCOME_EVERY_S = 1.0
"""How often it is asked whether the browser may look on still."""


class Viewer:
    """Sends one browser what is new, as fast as it draws; what it has no time for is skipped.

    It gets nothing more once ``is_welcome`` says no.
    """

    def __init__(
        self, page: Page, socket: web.WebSocketResponse, is_welcome: Callable[[], bool]
    ) -> None:
        self._page = page
        self._socket = socket
        self._is_welcome = is_welcome
        self._wanted: tuple[str, ...] = ()
        self._large: str | None = None
        self._asked: dict[str, Any] | None = None
        self._spanned: str | None = None
        self._cameras: tuple[str, ...] = ()
        self._places = ""
        self._ahead: Counter[str] = Counter()
        self._sent: dict[str, int] = {}
        self._due_s: dict[str, float] = {}
        self._alert = 0
        self._recalled: object = ()

    async def talk(self, *, has_session: bool) -> None:
        """Send and listen until the browser leaves, or is not welcome any more; ``has_session``
        says that it may log out. Raises what went wrong on this side.
        """
        with self._page.looking() as news:
            await self._socket.send_str(self._page.hello(has_session=has_session))
            tasks = [
                asyncio.ensure_future(self._send(news)),
                asyncio.ensure_future(self._send_bulletins()),
                asyncio.ensure_future(self._listen(news)),
                asyncio.ensure_future(self._outstay()),
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

    async def _outstay(self) -> None:
        while self._is_welcome():  # noqa: ASYNC110 - a token that changes calls nobody
            await asyncio.sleep(WELCOME_EVERY_S)

    async def _listen(self, news: asyncio.Event) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            self._heed(_read(message.data))
            news.set()

    def _heed(self, told: dict[str, Any]) -> None:
        match told:
            case {"drawn": str(camera)} if camera in self._ahead:
                self._ahead[camera] = max(0, self._ahead[camera] - 1)
            case {"camera": str(camera)}:
                self._look_at((camera,), camera)
            case {"wall": [*cameras]} if all(isinstance(each, str) for each in cameras):
                self._look_at(tuple(cameras), None)
            case {"past": {"camera": str(camera)} as asked}:
                self._look_at((), camera)
                self._asked = asked

    def _look_at(self, cameras: tuple[str, ...], large: str | None) -> None:
        """The pictures of ``cameras`` are wanted from now on, the newest at once."""
        if large is not None or self._large is not None:
            self._sent, self._due_s = {}, {}
        known = set(self._page.cameras)
        self._wanted = tuple(each for each in dict.fromkeys(cameras) if each in known or large)
        self._large, self._asked = large, None

    async def _send_bulletins(self) -> None:
        while True:
            told = self._page.bulletin(asyncio.get_running_loop().time())
            if told.places != self._places:
                self._places = told.places
                await self._socket.send_str(told.places)
            await self._socket.send_str(told.stats)
            await self._send_span()
            await asyncio.sleep(EVERY_S)

    async def _send_span(self) -> None:
        self._spanned = self._large
        if self._large is not None:
            await self._socket.send_str(self._page.span(self._large))

    async def _send(self, news: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await news.wait()
            news.clear()
            await self._send_cameras()
            await self._send_alerts()
            if self._spanned != self._large:
                await self._send_span()
            if self._asked is not None:
                await self._send_past(self._asked)
            for camera in self._wanted:
                if (shown := self._new(camera)) is not None and self._wait_s(camera) <= 0:
                    await self._send_picture(camera, shown)

    async def _send_cameras(self) -> None:
        if self._page.cameras != self._cameras:
            self._cameras = self._page.cameras
            await self._socket.send_str(cameras_text(self._cameras))

    async def _send_alerts(self) -> None:
        recalled = self._page.recalled  # as it is with these alerts; it may change while they go
        for told in self._page.alerts(self._alert):
            await self._socket.send_str(self._page.alert_text(told))
            self._alert = told.number
        if recalled != self._recalled:
            self._recalled = recalled
            await self._socket.send_str(recalled_text(recalled))

    def _pause_s(self) -> float | None:
        """How long it is until a picture may be sent that is there already."""
        waits = [self._wait_s(each) for each in self._wanted if self._new(each) is not None]
        return max(0.0, min(waits)) if waits else None

    def _new(self, camera: str) -> Shown | None:
        """The newest picture of a camera, if it was not sent and may be."""
        shown = self._page.shown(camera, self._sent.get(camera, 0))
        most = AHEAD if self._large else 1
        return shown if shown is not None and self._ahead[camera] < most else None

    def _wait_s(self, camera: str) -> float:
        return self._due_s.get(camera, 0.0) - asyncio.get_running_loop().time()

    async def _send_picture(self, camera: str, shown: Shown) -> None:
        now_s = asyncio.get_running_loop().time()
        every_s = 1 / (PICTURES_PER_S if self._large else TILES_PER_S)
        self._due_s[camera] = max(now_s - every_s, self._due_s.get(camera, 0.0)) + every_s
        self._sent[camera] = shown.number
        self._ahead[camera] += 1
        jpeg = await shown.jpeg(None if self._large else WALL_PX)
        await self._socket.send_str(said("frame", shown.about))
        await self._socket.send_bytes(jpeg)

    async def _send_past(self, asked: dict[str, Any]) -> None:
        self._asked = None
        moment = self._past(asked)
        if moment is None:
            await self._socket.send_str('{"type":"gone"}')
            return
        await self._socket.send_str(said("past", moment.about))
        await self._socket.send_bytes(moment.jpeg)

    def _past(self, asked: dict[str, Any]) -> Moment | None:
        """The picture that is asked for: the nearest to when it came, some steps beside the one
        with a number, or that of a frame.
        """
        past = self._page.past
        match asked:
            case {"camera": str(camera), "heard_us": int(heard_us)}:
                return past.at(camera, heard_us)
            case {"camera": str(camera), "number": int(number), "step": int(step)}:
                return past.beside(camera, number, step)
            case {"camera": str(camera), "epoch": int(epoch), "seq": int(seq)}:
                return past.frame(camera, epoch, seq)
        return None


def _read(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
