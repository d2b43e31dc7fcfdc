"""Looking at the page of ``maskstream web``, as a browser does."""

import asyncio
import re
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from connectors.jpeg import JpegCodec
from stream import codec
from stream.types import Encoded, Frame, Tracks
from tests.support.build import frame, instance, picture, result
from tests.support.clock import START_US
from tests.support.roles import Deployment, Process

PATIENCE_S = 30.0
TOKEN = "c4nary-token-of-the-page-0123"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
_PAGE = re.compile(r"page on (http://\S+)")
JPEG = JpegCodec(90, max_bytes=1_000_000, max_pixels=1_000_000)


def page(process: Process) -> str:
    """Where a process serves its page."""
    (url,) = (found[1] for each in process.events() if (found := _PAGE.search(each)))
    return str(url)


def live_frame(seq: int, camera: str = "yard") -> Frame:
    return frame(seq, camera, mode="live", image=JPEG.encode(picture((8, 8, 24, 40))))


def show(deployed: Deployment, seq: int) -> None:
    """Write a frame and its result, as ingest, segment and watch would."""
    deployed.write("frames", [codec.encode_frame(live_frame(seq))])
    deployed.write("masks", [codec.encode(result(seq, "yard", instance()))])
    deployed.write("tracks", [codec.encode(Tracks("yard", 1, seq, START_US, ()))])


async def looked(url: str, write: Any, camera: str = "yard") -> dict[str, Any]:
    """The first picture that a browser gets, asked for before it is written."""
    async with (
        asyncio.timeout(PATIENCE_S),
        ClientSession(headers=BEARER) as client,
        client.ws_connect(f"{url}/live") as socket,
    ):
        await socket.send_json({"camera": camera})
        writing = asyncio.create_task(asyncio.to_thread(write))
        told = await heard(socket, "frame")
        told["pixels"] = JPEG.decode(Encoded(await socket.receive_bytes()))
        told["figures"] = (await heard(socket, "stats"))["cameras"]
        await writing
        return told


async def heard(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    while True:
        message = await socket.receive()
        assert message.type in {WSMsgType.TEXT, WSMsgType.BINARY}, message
        told: dict[str, Any] = message.json() if message.type is WSMsgType.TEXT else {}
        if told.get("type") == kind:
            return told
