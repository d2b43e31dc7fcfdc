"""How long, and how many, connections are held on which nobody has shown the token."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from functools import partial

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from yarl import URL

from connectors import connection
from connectors.health import Own, add_probes, serve_probes
from connectors.web import Access, Page, login, serve
from stream.health import Health
from stream.metrics import Metrics
from stream.specs import HealthSpec
from tests.support.clock import START_US, VirtualClock
from tests.support.sockets import connected
from tests.support.waiting import eventually

TOKEN = "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE_S = 20.0
Ends = tuple[StreamReader, StreamWriter]


@pytest.fixture(params=["page", "probes"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[URL]:
    """Each of our servers."""
    own = Own(Health(), VirtualClock(), Metrics().registry)
    if request.param == "probes":
        serving = serve_probes(own, HealthSpec())
    else:
        page = Page(cameras=["hall"], zones=list, now_us=lambda: START_US)
        probes, access = partial(add_probes, probed=own), Access(SecretStr(TOKEN))
        serving = serve(page, port=0, metrics=Metrics(), access=access, parts=[probes])
    async with serving as address:
        yield URL(address)


async def said(url: URL, text: str) -> Ends:
    """A connection on which so much came."""
    ends = await asyncio.open_connection(url.host, url.port)
    ends[1].write(text.encode())
    return ends


async def over(ends: Ends) -> None:
    """Return once the server has hung up."""
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(ends[0].readuntil(b"never said"), PATIENCE_S)
    ends[1].close()


@pytest.mark.parametrize("text", ["", "GET / HTTP/1.1\r\nHost: "])
async def test_who_does_not_ask_is_hung_up_on(
    url: URL, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    await over(await said(url, text))
    assert connected(url.port) == 0


async def test_who_has_asked_may_ask_again(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.5)
    head = f"GET /livez HTTP/1.1\r\nHost: {url.authority}\r\n\r\n"
    reader, writer = await said(url, head)
    await reader.readuntil(b"ok\n")
    await over(await said(url, ""))  # it came later
    writer.write(head.encode())
    await reader.readuntil(b"ok\n")
    writer.close()


async def test_who_asks_no_more_is_hung_up_on(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_S", 0.2)
    ends = await said(url, f"GET /livez HTTP/1.1\r\nHost: {url.authority}\r\n\r\n")
    await over(ends)
    assert connected(url.port) == 0


@pytest.mark.parametrize("url", ["page"], indirect=True)
async def test_half_a_form_is_waited_for_no_longer_than_it_takes(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "BODY_S", 0.2)
    head = f"POST /login HTTP/1.1\r\nHost: {url.authority}\r\nContent-Length: 1000\r\n\r\n"
    reader, writer = await said(url, f"{head}token=")
    answer = await asyncio.wait_for(reader.readline(), PATIENCE_S)
    assert answer == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()


async def test_of_too_many_strangers_the_oldest_goes(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_STRANGERS", 3)
    crowd = [await said(url, "GET / HTTP") for _ in range(6)]
    for oldest in crowd[:3]:
        await over(oldest)
    assert connected(url.port) == 3
    async with ClientSession() as client, client.get(url / "livez") as answer:
        assert answer.status == 200
    for _, writer in crowd:
        writer.close()


@pytest.mark.parametrize("url", ["page"], indirect=True)
async def test_strangers_take_no_room_from_who_was_let_in(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_STRANGERS", 3)
    async with (
        ClientSession(headers=BEARER) as client,
        client.ws_connect(url / "live") as socket,
    ):
        crowd = [await said(url, "") for _ in range(6)]
        for oldest in crowd[:3]:
            await over(oldest)
        for _ in range(2):
            while (await socket.receive_json(timeout=PATIENCE_S))["type"] != "stats":
                pass
        assert connected(url.port) == 4
        for _, writer in crowd:
            writer.close()


@pytest.mark.parametrize(
    "head", ["GET / HTTP/1.1\r\nno header\r\n", "GET / HTTP/9.9\r\n", "\x16\x03\x01 hello\r\n"]
)
async def test_what_is_no_http_is_400_and_no_fault_of_ours(
    url: URL, caplog: pytest.LogCaptureFixture, head: str
) -> None:
    reader, writer = await said(url, f"{head}\r\n")
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 400") or answer.startswith(b"HTTP/1.0 400")
    assert b"Server: maskstream\r\n" in answer
    assert not caplog.records
    writer.close()
    await eventually(lambda: connected(url.port) == 0, "it has hung up")


async def test_no_answer_tells_versions(url: URL) -> None:
    async with ClientSession() as client:
        for path in ("livez", "metrics", "nowhere"):
            async with client.get(url / path) as answer:
                assert answer.headers["Server"] == "maskstream"
