"""Browsers that ask for much and read nothing: what they hold is bounded, and nobody waits."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from yarl import URL

from connectors.evidence import EvidenceStore, Stored
from connectors.web import Exhibits, Page, serve
from connectors.web.exhibits import PATH
from connectors.web.streamed import PIECE_BYTES
from stream.evidence_spec import EvidenceSpec
from stream.types import Encoded
from tests.support.clock import START_US
from tests.support.scene import joined
from tests.support.waiting import eventually

UNREAD = 10
"""Browsers that read nothing."""
CAMERAS = [f"c{number}" for number in range(16)]
PICTURE = Encoded(b"\xff\xd8\xff" + bytes(1 << 20))
"""The page sends it as it is; a wall of them is more than lies between two sockets."""
CLIP = "hall/2026-01-01/a1/clip.mp4"
CLIP_BYTES = 32 * PIECE_BYTES


@contextmanager
def grown() -> Iterator[Callable[[], int]]:
    """Tells by how many bytes this process has grown meanwhile."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def connection(url: str, head: str) -> AsyncIterator[asyncio.StreamWriter]:
    """A request of which nothing but the head of the answer is read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(url).port, limit=1024)
    writer.write(f"GET {URL(url).path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield writer
    finally:
        writer.transport.abort()


def said(what: dict[str, object]) -> bytes:
    """A short message from a browser (RFC 6455, section 5.2), masked with zeros."""
    text = json.dumps(what, separators=(",", ":")).encode()
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def offer(page: Page, seq: int) -> None:
    for camera in CAMERAS:
        found = joined(seq, camera)
        page.offer(replace(found, frame=replace(found.frame, picture=PICTURE)))


async def drawn(socket: ClientWebSocketResponse, seq: int) -> None:
    """Read, and say that each was drawn, until the pictures of all cameras have come so far."""
    missing, shown = {(camera, seq) for camera in CAMERAS}, ("", 0)
    while missing:
        message = await socket.receive()
        if message.type is WSMsgType.BINARY:
            await socket.send_json({"drawn": shown[0]})
            missing -= {shown}
        elif (told := message.json())["type"] == "frame":
            shown = (told["camera"], told["seq"])


@pytest.mark.parametrize(
    "claimed",
    [
        [{"drawn": camera} for camera in CAMERAS],  # what they have never read
        [{"past": {"camera": camera, "heard_us": 0}} for camera in CAMERAS],
    ],
    ids=["live", "past"],
)
async def test_viewers_that_read_nothing_hold_a_picture_or_two_each(
    claimed: list[dict[str, object]],
) -> None:
    page = Page(cameras=CAMERAS, zones=tuple, now_us=lambda: START_US)
    handshake = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    async with serve(page, port=0) as url, AsyncExitStack() as stack:
        offer(page, 0)
        with grown() as bytes_grown:
            unread: Sequence[asyncio.StreamWriter] = [
                await stack.enter_async_context(connection(f"{url}/live", handshake))
                for _ in range(UNREAD)
            ]
            client = await stack.enter_async_context(ClientSession())
            socket = await stack.enter_async_context(client.ws_connect(f"{url}/live"))
            await socket.send_json({"wall": CAMERAS})
            for each in unread:
                each.write(said({"wall": CAMERAS}))
            for seq in range(4):
                offer(page, seq)
                await drawn(socket, seq)
                for each in unread:
                    each.writelines(said(what) for what in claimed)
            assert bytes_grown() < 3 * UNREAD * len(PICTURE.jpeg)


class Watched(EvidenceStore):
    """Counts what is open."""

    open = 0

    @asynccontextmanager
    async def opened(self, name: str) -> AsyncIterator[Stored | None]:
        self.open += 1
        try:
            async with super().opened(name) as found:
                yield found
        finally:
            self.open -= 1


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Watched]:
    async with Watched(EvidenceSpec(store=str(tmp_path)), {}) as store:
        await store.put(CLIP, bytes(CLIP_BYTES))
        yield store


@pytest.fixture
async def clip(store: EvidenceStore) -> AsyncIterator[str]:
    page = Page(cameras=[], zones=tuple, now_us=int, exhibits=Exhibits(store, lambda _: None))
    async with serve(page, port=0) as url:
        yield url + PATH + CLIP


async def test_clips_that_nobody_reads_hold_two_pieces_each(clip: str, store: Watched) -> None:
    async with AsyncExitStack() as stack:
        with grown() as bytes_grown:
            for _ in range(UNREAD):
                await stack.enter_async_context(connection(clip, ""))
            async with ClientSession() as client, client.get(clip) as answer:
                read = [len(part) async for part in answer.content.iter_any()]
            assert sum(read) == CLIP_BYTES
            await eventually(lambda: store.open == UNREAD, "only the one that was read is closed")
            assert bytes_grown() < 3 * UNREAD * PIECE_BYTES
    await eventually(lambda: store.open == 0, "who leaves leaves nothing open")


async def test_who_leaves_a_piece_for_too_long_is_hung_up_on(
    clip: str, store: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.web.streamed.TAKE_S", 0.05)
    async with connection(clip, ""):
        await eventually(lambda: store.open == 0, "its clip is closed")
