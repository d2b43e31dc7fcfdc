"""The page's server, asked as a browser, a program and a stranger would."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from yarl import URL

from connectors.jpeg import JpegCodec
from connectors.web import Page, serve, server
from connectors.web.thumbnail import thumbnail
from connectors.web.viewer import AHEAD
from stream.codec import from_json
from stream.errors import ConfigError
from stream.metrics import Metrics
from stream.specs import ZoneSpec
from stream.types import Box, CameraStatus, Encoded, Picture, Raw, Result
from tests.support.clock import START_US, VirtualClock
from tests.support.scene import GATE, alert, encoded, joined, ring, shown_in_a_row
from tests.support.sockets import connected
from tests.support.waiting import eventually

PATIENCE_S = 10.0
HANGING_S = 60.0
JPEG = JpegCodec(80, max_bytes=1_000_000, max_pixels=1_000_000)


@pytest.fixture
def page() -> Page:
    return Page(cameras=["hall", "yard"], zones=lambda: [GATE], now_us=lambda: START_US)


@pytest.fixture
async def url(page: Page) -> AsyncIterator[str]:
    metrics = Metrics()
    metrics.frames_offered.labels("hall").inc(3)
    async with serve(page, port=0, metrics=metrics) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def heard(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        message = await socket.receive(PATIENCE_S)
        assert message.type is WSMsgType.TEXT, message
        told: dict[str, Any] = message.json()
        if told["type"] == kind:
            return told


async def picture_of(socket: ClientWebSocketResponse) -> bytes:
    """The next picture."""
    await heard(socket, "frame")
    return await socket.receive_bytes()


async def quiet(socket: ClientWebSocketResponse) -> bool:
    """Whether no picture comes until the next figures have come twice."""
    figures = 0
    while figures < 2:
        message = await socket.receive(PATIENCE_S)
        kind = message.json()["type"]
        if kind == "frame":
            return False
        figures += kind == "stats"
    return True


async def test_the_page_and_its_files_come_with_the_headers_that_guard_them(
    url: str, client: ClientSession
) -> None:
    for path, kind in [("/", "text/html"), ("/static/rle.js", "text/javascript")]:
        async with client.get(url + path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_metrics_are_those_of_the_registry(url: str, client: ClientSession) -> None:
    async with client.get(f"{url}/metrics") as answer:
        assert 'maskstream_frames_offered_total{camera="hall"} 3.0' in await answer.text()


@pytest.mark.parametrize("path", ["/", "/live", "/metrics", "/static/rle.js"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
async def test_a_name_rebound_to_this_machine_is_refused(
    url: str, client: ClientSession, path: str, host: str
) -> None:
    async with client.get(url + path, headers={"Host": host}) as answer:
        assert answer.status == 403
        assert host in await answer.text()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"]
)
async def test_another_site_is_refused(url: str, client: ClientSession, origin: str) -> None:
    for path in ("/", "/live"):
        async with client.get(url + path, headers={"Origin": origin}) as answer:
            assert answer.status == 403


async def test_the_pages_own_origin_is_served(url: str, client: ClientSession) -> None:
    async with client.ws_connect(f"{url}/live", headers={"Origin": url}) as socket:
        assert (await heard(socket, "zones"))["zones"][0]["id"] == "gate"


@pytest.mark.parametrize("path", ["/static/../page.py", "/static/%2e%2e/page.py", "/page.py"])
async def test_no_other_file_can_be_had(url: str, client: ClientSession, path: str) -> None:
    async with client.get(URL(url + path, encoded=True)) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
async def test_an_address_that_others_reach_needs_a_token(page: Page, host: str) -> None:
    with pytest.raises(ConfigError, match="needs a token"):
        async with serve(page, host=host):
            pass


async def test_a_taken_port_is_named(page: Page, url: str) -> None:
    with pytest.raises(ConfigError, match=f"{URL(url).port}.*in use"):
        async with serve(page, port=URL(url).port or 0):
            pass


async def test_a_frame_is_its_result_as_on_masks_and_then_its_jpeg(
    page: Page, url: str, client: ClientSession
) -> None:
    offered = joined(5, "hall", ring())
    page.offer(offered)
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"camera": "hall"})
        told = await heard(socket, "frame")
        picture = await socket.receive_bytes()
    assert (told["camera"], told["epoch"], told["seq"]) == ("hall", 1, 5)
    result = from_json(json.dumps(told["result"]).encode())
    assert isinstance(result, Result)
    assert result == offered.result
    assert result.instances[0].mask == ring()
    assert told["tracks"]["tracks"][0]["id"] == "hall/1/7/0"
    pixels = JPEG.decode(Encoded(picture))
    assert pixels.shape == (120, 160, 3)


async def test_a_slow_browser_misses_pictures_and_holds_nobody_up(
    page: Page, url: str, client: ClientSession
) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"camera": "hall"})
        for seq in range(AHEAD):
            page.offer(joined(seq))
            assert (await heard(socket, "frame"))["seq"] == seq
            await socket.receive_bytes()
        for seq in range(AHEAD, 100):
            page.offer(joined(seq))
        assert await quiet(socket)
        await socket.send_json({"drawn": "hall"})
        assert (await heard(socket, "frame"))["seq"] == 99


async def test_on_the_wall_each_camera_goes_on_when_its_own_picture_was_drawn(
    page: Page, url: str, client: ClientSession
) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"wall": ["hall", "yard", "attic"]})
        for seq in range(2):
            page.offer(joined(seq, "hall"))
            page.offer(joined(seq, "yard"))
        first = []
        for _ in range(2):
            first.append((await heard(socket, "frame"))["camera"])
            await socket.receive_bytes()
        assert sorted(first) == ["hall", "yard"]
        page.offer(joined(2, "hall"))
        page.offer(joined(2, "yard"))
        assert await quiet(socket)
        await socket.send_json({"drawn": "yard"})
        told = await heard(socket, "frame")
        assert (told["camera"], told["seq"]) == ("yard", 2)


async def test_pixels_are_smaller_on_the_wall_and_a_jpeg_goes_as_it_is(
    page: Page, url: str, client: ClientSession
) -> None:
    large = replace(joined(0, "hall").frame, picture=Raw(np.zeros((720, 1280, 3), np.uint8)))
    jpeg = JPEG.encode(np.zeros((720, 1280, 3), np.uint8))
    page.offer(replace(joined(0, "hall"), frame=large))
    page.offer(replace(joined(0, "yard"), frame=replace(joined(0, "yard").frame, picture=jpeg)))
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"wall": ["hall"]})
        assert JPEG.decode(Encoded(await picture_of(socket))).shape == (360, 640, 3)
        await socket.send_json({"wall": ["yard"]})
        assert await picture_of(socket) == jpeg.jpeg
        await socket.send_json({"camera": "hall"})
        assert JPEG.decode(Encoded(await picture_of(socket))).shape == (720, 1280, 3)


async def test_a_picture_of_before_is_asked_for_by_time_by_step_and_by_frame(
    client: ClientSession,
) -> None:
    clock = VirtualClock()
    page = Page(cameras=["hall"], zones=lambda: [], now_us=clock.now_us)
    shown_in_a_row(page, clock, 10)
    asked = [
        ({"heard_us": START_US + 410_000}, 2),
        ({"number": 3, "step": -1}, 1),
        ({"number": 9, "step": 5}, 9),
        ({"epoch": 1, "seq": 7}, 7),
    ]
    async with serve(page, port=0) as url, client.ws_connect(f"{url}/live") as socket:
        for how, seq in asked:
            await socket.send_json({"past": {"camera": "hall", **how}})
            assert (await heard(socket, "past"))["seq"] == seq
            await socket.receive_bytes()
        page.offer(encoded(10))
        assert await quiet(socket)
        await socket.send_json({"past": {"camera": "nobody", "heard_us": 0}})
        assert await heard(socket, "gone") == {"type": "gone"}
        await socket.send_json({"past": {"camera": "hall", "heard_us": "now"}})
        assert await heard(socket, "gone") == {"type": "gone"}
        await socket.send_json({"camera": "hall"})
        assert (await heard(socket, "frame"))["seq"] == 10


async def test_only_the_chosen_camera_is_sent(page: Page, url: str, client: ClientSession) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        page.offer(joined(0, "hall"))
        assert await quiet(socket)
        await socket.send_json({"camera": "yard"})
        page.offer(joined(1, "hall"))
        page.offer(joined(2, "yard"))
        assert (await heard(socket, "frame"))["camera"] == "yard"


async def test_pictures_without_a_result_do_not_make_the_masks_flicker(page: Page) -> None:
    page.offer(joined(0))
    gapped = joined(1)
    page.offer(type(gapped)(gapped.frame, None, None))
    shown = page.shown("hall", 0)
    assert shown is not None
    assert shown.joined.frame.id.seq == 0


async def test_a_camera_that_comes_later_is_told(
    page: Page, url: str, client: ClientSession
) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        assert (await heard(socket, "cameras"))["cameras"] == ["hall", "yard"]
        page.offer(joined(0, "gate"))
        assert (await heard(socket, "cameras"))["cameras"] == ["gate", "hall", "yard"]


async def test_a_camera_that_is_removed_goes_with_all_that_was_shown_of_it(
    page: Page, url: str, client: ClientSession
) -> None:
    jpeg = JPEG.encode(np.zeros((40, 60, 3), np.uint8))
    page.offer(replace(joined(0), frame=replace(joined(0).frame, picture=jpeg)))
    assert page.past.span("hall") is not None
    async with client.ws_connect(f"{url}/live") as socket:
        await heard(socket, "cameras")
        page.keep(["yard"])
        assert (await heard(socket, "cameras"))["cameras"] == ["yard"]
        page.offer(joined(1))
        page.status(CameraStatus("hall", "ended", START_US, "removed"))
        assert (await heard(socket, "stats"))["cameras"].keys() == {"yard"}
        assert page.shown("hall", 0) is None
        assert page.past.span("hall") is None
        page.keep(["hall", "yard"])
        page.offer(joined(2))
        assert sorted((await heard(socket, "cameras"))["cameras"]) == ["hall", "yard"]
        assert page.shown("hall", 0) is not None


async def test_alerts_come_to_who_is_there_and_to_who_comes_later(
    page: Page, url: str, client: ClientSession
) -> None:
    page.offer(joined(0))
    await page.alert(alert())
    async with client.ws_connect(f"{url}/live") as socket:
        first = await heard(socket, "alert")
        assert (first["alert"]["rule"], first["alert"]["state"]) == ("keep-out", "opened")
        assert first["picture"].startswith("data:image/jpeg;base64,")
        await page.alert(alert("resolved"))
        assert (await heard(socket, "alert"))["alert"]["state"] == "resolved"


async def test_an_alert_gets_its_picture_while_everything_goes_on(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def slow(picture: Picture, box: Box) -> str | None:
        assert may_end.wait(PATIENCE_S)
        return thumbnail(picture, box)

    monkeypatch.setattr("connectors.web.page.thumbnail", slow)
    page.offer(joined(0))
    telling = asyncio.create_task(page.alert(alert()))
    await asyncio.sleep(0)
    assert list(page.alerts(0)) == []
    may_end.set()
    await telling
    (told,) = page.alerts(0)
    assert told.picture is not None
    assert told.picture.startswith("data:image/jpeg;base64,")


async def test_what_all_are_told_every_second_is_made_once_for_all(client: ClientSession) -> None:
    made = 0

    def zones() -> list[ZoneSpec]:
        nonlocal made
        made += 1
        return [GATE]

    page = Page(cameras=["hall"], zones=zones, now_us=lambda: START_US)
    began_s = asyncio.get_running_loop().time()
    async with serve(page, port=0) as url, AsyncExitStack() as stack:
        assert made == 0, "nobody looks"
        for _ in range(10):
            socket = await stack.enter_async_context(client.ws_connect(f"{url}/live"))
            assert (await heard(socket, "zones"))["zones"][0]["id"] == "gate"
            assert "hall" in (await heard(socket, "stats"))["cameras"]
        assert 1 <= made <= 1 + (asyncio.get_running_loop().time() - began_s)


@pytest.mark.parametrize("said", ["no json", "[1]", '{"camera": 7}', '{"camera": "../x"}', "{}"])
async def test_what_makes_no_sense_is_ignored(
    page: Page, url: str, client: ClientSession, said: str
) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_str(said)
        await socket.send_json({"camera": "hall"})
        page.offer(joined(3))
        assert (await heard(socket, "frame"))["seq"] == 3


async def test_who_says_too_much_is_cut_off(url: str, client: ClientSession) -> None:
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_str("x" * 100_000)
        assert await _end(socket) == 1009


async def test_browsers_are_told_when_the_server_stops(page: Page, client: ClientSession) -> None:
    async with serve(page, port=0) as url:
        socket = await client.ws_connect(f"{url}/live")
        end = asyncio.create_task(_end(socket))
        await asyncio.sleep(0)
    assert await end == 1001


async def test_a_browser_that_hangs_does_not_hold_the_stop_up(page: Page) -> None:
    picture = Raw(np.random.default_rng(7).integers(0, 255, (1000, 3000, 3), np.uint8))
    good = joined(0)
    page.offer(replace(good, frame=replace(good.frame, picture=picture)))
    said = b'{"camera": "hall"}'
    async with asyncio.timeout(HANGING_S):
        async with serve(page, port=0) as url:
            reader, writer = await _hand_shaken(url)
            writer.write(bytes([0x81, 0x80 | len(said), 0, 0, 0, 0]) + said)
            await reader.readuntil(b'"type":"frame"')  # and nothing from here on
        writer.close()
        await writer.wait_closed()


async def test_a_browser_that_reads_no_more_is_hung_up_on(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING_EVERY_S", 0.5)
    monkeypatch.setattr(server, "GOODBYE_S", 0.1)
    metrics = Metrics()
    large = replace(joined(0).frame, picture=Encoded(bytes(32_000_000)))
    page.offer(replace(joined(0), frame=large))
    said = b'{"camera": "hall"}'
    async with serve(page, port=0, metrics=metrics) as url:
        reader, writer = await _hand_shaken(url)
        writer.write(bytes([0x81, 0x80 | len(said), 0, 0, 0, 0]) + said)
        await reader.readuntil(b'"type":"frame"')  # and nothing from here on
        await eventually(lambda: connected(URL(url).port) == 0, "nothing is held of it")
        assert metrics.registry.get_sample_value("maskstream_viewers") == 0
        writer.close()


async def _hand_shaken(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket that reads only when it is told to."""
    port = URL(url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return reader, writer


async def test_a_fault_while_a_picture_is_sent_is_logged(
    page: Page, url: str, client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    good = joined(0)
    bad = replace(good.frame, picture=Raw(np.zeros((4, 4), np.uint8)))
    page.offer(replace(good, frame=bad))
    async with client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"camera": "hall"})
        await _end(socket)
    assert "Error handling request" in caplog.text


async def _end(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(PATIENCE_S):
        async for _ in socket:
            pass
    return socket.close_code
