"""Webhooks against a real receiver on this machine, which checks every signature."""

import asyncio
import base64
import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from time import time_ns

import msgspec
import pytest
import standardwebhooks
from aiohttp import web
from msgspec import structs
from pydantic import SecretBytes

from connectors.memory import MemoryTransport
from connectors.webhook import Webhook, message_id
from stream import codec
from stream.errors import ConfigError, DeliveryError, DeliveryRefusedError, EndOfStream
from stream.metrics import Metrics
from stream.notify import TOPICS, Notify
from stream.notify.body.plain import body_of
from stream.ports import Outbox
from stream.specs import EndpointSpec, SecretSource
from stream.types import Alert, AlertState, DeliveryStatus
from tests.support.alerts import opened
from tests.support.crash import Crash, CrashingOutbox
from tests.support.required import require

KEY = b"canary-0123456789-abcdefgh-signing-key"
OLD_KEY = b"canary-9876543210-hgfedcba-older-key--"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD_SECRET = "whsec_" + base64.b64encode(OLD_KEY).decode()
ALERT = structs.replace(opened("9f2c"), rule="person-leaves", zone="exit")
BODY = body_of(ALERT)


DRAIN_S = 600.0


class QuickClock:
    """The wall clock, on which a wait for the next try is over at once."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def now_us(self) -> int:
        return time_ns() // 1000 + round(sum(self.waits_s) * 1e6)

    async def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)


def sink(
    url: str,
    *,
    allow_private: bool = True,
    timeout_s: float = 10.0,
    clock: QuickClock | None = None,
    keys: Sequence[bytes] = (KEY,),
) -> Webhook:
    spec = EndpointSpec(
        id="ops", url=url, secret=SecretSource(env="OPS_SECRET"), allow_private=allow_private
    )
    return Webhook(spec, [*map(SecretBytes, keys)], body_of, clock or QuickClock(), timeout_s)


class Receiver:
    """Verifies what it gets as a user's receiver would, and answers from a list."""

    def __init__(self, answers: Sequence[web.Response], secret: str) -> None:
        self.answers = list(answers)
        self.secret = secret
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self.events: list[dict[str, object]] = []
        self.url = ""

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers in self.headers]

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        verifier = standardwebhooks.Webhook(self.secret)
        self.events.append(verifier.verify(body, dict(request.headers)))
        self.bodies.append(body)
        self.headers.append(request.headers)
        return self.answers.pop(0) if self.answers else web.Response()


@asynccontextmanager
async def receiver(*answers: web.Response, secret: str = SECRET) -> AsyncIterator[Receiver]:
    found = Receiver(answers, secret)
    app = web.Application()
    app.router.add_post("/{path:.*}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Peer:
    """A server that says what it is told to say, byte by byte."""

    port: int = 0
    connections: int = 0
    sent: int = 0


def url_of(peer: Peer, path: str = "/hook") -> str:
    return f"http://127.0.0.1:{peer.port}{path}"


@asynccontextmanager
async def peer(
    talk: Callable[[Peer, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Peer]:
    found = Peer()
    talks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        talks.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(found, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield found
        finally:
            open_talks = [task for task in talks if task is not None and not task.done()]
            for task in open_talks:
                task.cancel()
            await asyncio.gather(*open_talks)


async def test_a_receiver_verifies_the_alert_with_the_standard_library() -> None:
    async with receiver() as ops, sink(ops.url) as webhook:
        answer = await webhook.deliver(ALERT)

    assert answer == "200 OK"
    (event,) = ops.events
    assert event["type"] == "alert.opened"
    assert event["timestamp"] == "2027-01-15T08:00:00.000000Z"
    assert ops.ids == [message_id(ALERT)]
    assert ops.bodies == [BODY]


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_while_keys_change_a_receiver_takes_alerts_by_the_old_one_and_by_the_new(
    secret: str,
) -> None:
    async with (
        receiver(secret=secret) as ops,
        sink(ops.url, keys=(KEY, OLD_KEY)) as webhook,
    ):
        assert await webhook.deliver(ALERT) == "200 OK"

    assert ops.bodies == [BODY]
    signatures = ops.headers[0]["webhook-signature"].split(" ")
    assert [each.partition(",")[0] for each in signatures] == ["v1", "v1"]
    assert len(set(signatures)) == 2


async def test_a_receiver_with_a_third_key_takes_nothing() -> None:
    stranger = base64.b64encode(b"a key that nobody was given").decode()
    async with (
        receiver(secret=stranger) as ops,
        sink(ops.url, keys=(KEY, OLD_KEY)) as webhook,
    ):
        with pytest.raises(DeliveryError, match="500"):
            await webhook.deliver(ALERT)

    assert ops.bodies == []


async def test_the_timestamp_is_that_of_the_try_and_the_id_that_of_the_change() -> None:
    clock = QuickClock()
    async with receiver() as ops, sink(ops.url, clock=clock) as webhook:
        await webhook.deliver(ALERT)
        await clock.sleep(100.0)
        await webhook.deliver(ALERT)

    assert ops.ids[0] == ops.ids[1]
    first_s, second_s = (int(headers["webhook-timestamp"]) for headers in ops.headers)
    assert second_s - first_s >= 100


def test_changes_of_an_alert_differ_in_their_ids_and_ids_have_no_full_stop() -> None:
    states: tuple[AlertState, ...] = ("opened", "updated", "resolved")
    names = {message_id(msgspec.structs.replace(ALERT, state=state)) for state in states}
    names |= {
        message_id(msgspec.structs.replace(ALERT, id=name)) for name in ("a.b", "a\r\nx-evil: 1")
    }

    assert len(names) == 5
    assert not any(set(name) & set(".\r\n ") for name in names)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_a_delivery(status: int) -> None:
    async with receiver(web.Response(status=status)) as ops, sink(ops.url) as webhook:
        assert (await webhook.deliver(ALERT)).startswith(str(status))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_that_means_later_is_tried_again(status: int) -> None:
    async with receiver(web.Response(status=status)) as ops, sink(ops.url) as webhook:
        with pytest.raises(DeliveryError, match=f"endpoint ops .127.0.0.1.: {status}") as error:
            await webhook.deliver(ALERT)

    assert error.value.retriable
    assert error.value.retry_after_s is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_an_answer_that_means_no_is_not_tried_again(status: int) -> None:
    async with (
        receiver(web.Response(status=status, text="bad\r\n key")) as ops,
        sink(ops.url) as webhook,
    ):
        with pytest.raises(DeliveryRefusedError, match=f"{status} .*: bad   key"):
            await webhook.deliver(ALERT)


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
async def test_retry_after_is_read_where_it_can_be(value: str, wait_s: float | None) -> None:
    async with (
        receiver(web.Response(status=503, headers={"retry-after": value})) as ops,
        sink(ops.url) as webhook,
    ):
        with pytest.raises(DeliveryError) as error:
            await webhook.deliver(ALERT)

    assert error.value.retry_after_s == wait_s


async def test_an_alert_that_is_too_large_is_refused_before_a_try() -> None:
    async with receiver() as ops, sink(ops.url) as webhook:
        with pytest.raises(
            DeliveryRefusedError, match=r"endpoint ops .*alert 9f2c: body: .*> 20000"
        ):
            await webhook.deliver(msgspec.structs.replace(ALERT, labels=("x" * 30_000,)))

    assert ops.bodies == []


async def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    async with (
        receiver(web.Response(status=429, headers={"retry-after": at})) as ops,
        sink(ops.url) as webhook,
    ):
        with pytest.raises(DeliveryError) as error:
            await webhook.deliver(ALERT)

    assert error.value.retry_after_s == pytest.approx(600, abs=30)


def now_and(status: str, **headers: str) -> Callable[[Peer, asyncio.StreamWriter], Awaitable[None]]:
    """An answer by a clock that is right."""
    said = {"date": format_datetime(datetime.now(UTC), usegmt=True), "content-length": "0"}
    lines = "".join(
        f"{key.replace('_', '-')}: {value}\r\n" for key, value in (said | headers).items()
    )

    async def talk(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode())
        await writer.drain()

    return talk


def wrong_by(seconds: float) -> QuickClock:
    clock = QuickClock()
    clock.waits_s.append(seconds)
    return clock


@pytest.mark.parametrize("wrong_s", [-3600.0, 3600.0])
async def test_a_date_in_retry_after_is_read_by_the_clock_of_who_wrote_it(wrong_s: float) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    async with (
        peer(now_and("429 Slowly", retry_after=at)) as busy,
        sink(url_of(busy), clock=wrong_by(wrong_s)) as webhook,
    ):
        with pytest.raises(DeliveryError) as error:
            await webhook.deliver(ALERT)

    assert error.value.retry_after_s == pytest.approx(600, abs=30)


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize(("wrong_s", "said"), [(-3600.0, "[+]3[56]"), (3600.0, "-3[56]")])
async def test_who_may_have_refused_our_time_is_tried_again(
    status: int, wrong_s: float, said: str
) -> None:
    async with (
        peer(now_and(f"{status} No")) as strict,
        sink(url_of(strict), clock=wrong_by(wrong_s)) as webhook,
    ):
        with pytest.raises(
            DeliveryError, match=rf"{status} No; its clock is {said}\d\d s from ours"
        ):
            await webhook.deliver(ALERT)


@pytest.mark.parametrize(("status", "wrong_s"), [(401, 0.0), (404, 3600.0)])
async def test_who_refuses_for_another_reason_is_not_tried_again(
    status: int, wrong_s: float
) -> None:
    async with (
        peer(now_and(f"{status} No")) as strict,
        sink(url_of(strict), clock=wrong_by(wrong_s)) as webhook,
    ):
        with pytest.raises(DeliveryRefusedError, match=f"{status} No$"):
            await webhook.deliver(ALERT)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    elsewhere = web.Response(status=status, headers={"location": "/other"})
    async with receiver(elsewhere) as ops, sink(ops.url) as webhook:
        with pytest.raises(DeliveryRefusedError, match="redirects are not followed"):
            await webhook.deliver(ALERT)

    assert len(ops.bodies) == 1


async def hang(peer: Peer, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip_headers(peer: Peer, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        await asyncio.sleep(0.05)
        writer.write(b"a")
        await writer.drain()


@pytest.mark.parametrize("talk", [hang, drip_headers])
async def test_a_receiver_that_never_finishes_its_answer_is_left_at_the_time_out(
    talk: Callable[[Peer, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async with peer(talk) as slow, sink(url_of(slow), timeout_s=0.5) as webhook:
        with pytest.raises(DeliveryError, match=r"no answer within 0\.5 s") as error:
            await webhook.deliver(ALERT)

    assert error.value.retriable


def drip_body(status: str) -> Callable[[Peer, asyncio.StreamWriter], Awaitable[None]]:
    async def talk(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 100000\r\n\r\n".encode())
        await drip_headers(peer, writer)

    return talk


async def test_a_body_that_drips_does_not_undo_a_2xx() -> None:
    async with peer(drip_body("200 OK")) as slow, sink(url_of(slow), timeout_s=0.5) as webhook:
        assert (await webhook.deliver(ALERT)).startswith("200 OK: HTTP/1.1")


async def test_a_body_that_drips_does_not_hold_a_failure_either() -> None:
    async with peer(drip_body("500 Oh")) as slow, sink(url_of(slow), timeout_s=0.5) as webhook:
        with pytest.raises(DeliveryError, match="500 Oh"):
            await webhook.deliver(ALERT)


async def test_of_a_huge_answer_little_is_read_and_the_connection_is_closed() -> None:
    closed = asyncio.Event()

    async def flood(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        try:
            while peer.sent < 1_000_000_000:
                writer.write(b"x" * 65_536)
                await writer.drain()
                peer.sent += 65_536
        finally:
            closed.set()

    async with peer(flood) as huge, sink(url_of(huge)) as webhook:
        answer = await webhook.deliver(ALERT)
        await closed.wait()

    assert len(answer) < 300
    assert huge.sent < 64_000_000


async def test_an_answer_that_is_not_http_is_a_failure_whose_text_keeps_the_path_secret() -> None:
    async def nonsense(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example ESMTP\r\n\r\n")
        await writer.drain()

    async with peer(nonsense) as odd, sink(url_of(odd, "/T0K3N")) as webhook:
        with pytest.raises(DeliveryError) as error:
            await webhook.deliver(ALERT)

    assert error.value.retriable
    assert "T0K3N" not in str(error.value)


async def test_nobody_listening_is_a_failure_that_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with sink(f"http://127.0.0.1:{port}/") as webhook:
            with pytest.raises(DeliveryError, match="ClientConnectorError") as error:
                await webhook.deliver(ALERT)

    assert error.value.retriable


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
async def test_a_private_address_is_refused_before_a_connection_is_made(host: str) -> None:
    async with (
        peer(hang) as inside,
        sink(f"https://{host}:{inside.port}/", allow_private=False) as webhook,
    ):
        with pytest.raises(DeliveryRefusedError, match="is not public; set allow_private"):
            await webhook.deliver(ALERT)

    assert inside.connections == 0


async def test_a_public_name_that_resolves_to_private_addresses_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with peer(hang) as inside:
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", inside.port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", inside.port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", inside.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        url = f"https://hooks.example.com:{inside.port}/"
        async with sink(url, allow_private=False) as webhook:
            with pytest.raises(DeliveryRefusedError, match=r"hooks\.example\.com.*is not public"):
                await webhook.deliver(ALERT)

    assert inside.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.0.0.1"])
async def test_an_unusual_spelling_of_loopback_is_refused(host: str) -> None:
    async with (
        peer(hang) as inside,
        sink(f"https://{host}:{inside.port}/", allow_private=False) as webhook,
    ):
        with pytest.raises(DeliveryError):
            await webhook.deliver(ALERT)

    assert inside.connections == 0


@pytest.mark.parametrize(
    ("url", "allow_private", "allowed"),
    [
        ("http://hooks.example.com/", False, "allowed: https"),
        ("ftp://hooks.example.com/", True, "given ftp; allowed: https"),
        ("file:///etc/passwd", True, "given file; allowed: https"),
        ("hooks.example.com", True, "given no scheme; allowed: https"),
        ("https:///path", False, "names no host"),
        ("https://[::1", False, "not a URL"),
    ],
)
def test_a_url_that_is_not_https_is_refused(url: str, allow_private: bool, allowed: str) -> None:
    with pytest.raises(ConfigError, match=allowed):
        sink(url, allow_private=allow_private)


async def test_a_host_that_no_lookup_takes_is_refused_and_not_tried_for_days() -> None:
    async with sink(f"https://{'a' * 70}.example.com/", allow_private=False) as webhook:
        with pytest.raises(DeliveryRefusedError, match="cannot be looked up"):
            await webhook.deliver(ALERT)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async with (
        peer(hang, tls=self_signed(tmp_path)) as strange,
        sink(f"https://127.0.0.1:{strange.port}/") as webhook,
    ):
        with pytest.raises(DeliveryError, match=r"(?i)certificate"):
            await webhook.deliver(ALERT)


def self_signed(folder: Path) -> ssl.SSLContext:
    found = shutil.which("openssl") is not None
    require("openssl", found, "openssl is not installed; it makes the test's certificate")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", *curve]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9/")

    async with receiver() as ops, sink(ops.url) as webhook:
        assert await webhook.deliver(ALERT) == "200 OK"


async def test_no_cookie_is_kept() -> None:
    async with (
        receiver(web.Response(headers={"set-cookie": "a=b"})) as ops,
        sink(ops.url) as webhook,
    ):
        await webhook.deliver(ALERT)
        await webhook.deliver(ALERT)

    assert "cookie" not in ops.headers[1]


async def test_a_webhook_is_used_between_its_opening_and_its_close_and_opened_once() -> None:
    async with receiver() as ops:
        webhook = sink(ops.url)
        with pytest.raises(RuntimeError, match="is not open"):
            await webhook.deliver(ALERT)
        async with webhook:
            await webhook.deliver(ALERT)
        with pytest.raises(RuntimeError, match="is not open"):
            await webhook.deliver(ALERT)
        with pytest.raises(RuntimeError, match="opened before"):
            await webhook.__aenter__()


async def test_a_key_is_in_no_repr_log_or_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    async with (
        receiver(web.Response(status=500), web.Response(status=403)) as ops,
        sink(ops.url, keys=(KEY, OLD_KEY)) as webhook,
    ):
        told += [repr(webhook), repr(vars(webhook)), str(webhook)]
        for _ in range(2):
            with pytest.raises(DeliveryError) as error:
                await webhook.deliver(ALERT)
            told += [str(error.value), repr(error.value)]

    told.append(caplog.text)
    for key in (KEY, OLD_KEY):
        for form in (key.decode(), base64.b64encode(key).decode(), key.hex()):
            assert form not in "\n".join(told)


async def told(history: Sequence[DeliveryStatus]) -> AsyncGenerator[DeliveryStatus, None]:
    for status in history:
        yield status


class Run:
    """notify on the memory transport, with real webhooks."""

    def __init__(self, wrap: Callable[[Outbox], Outbox] = lambda outbox: outbox) -> None:
        self.transport = MemoryTransport()
        self.clock = QuickClock()
        self.wrap = wrap

    async def of(self, url: str, *alerts: Alert, history: Sequence[DeliveryStatus] = ()) -> None:
        async with self.transport.outbox("alerts") as writer:
            for each in alerts:
                await writer.send("alerts", codec.encode(each))
        async with (
            sink(url, timeout_s=0.5, clock=self.clock) as ops,
            self.transport.inbox("alerts", "notify") as inbox,
            self.transport.outbox(*TOPICS) as outbox,
        ):
            notify = Notify({"ops": ops}, self.wrap(outbox), self.clock, Metrics(), lambda: 0.0)
            await notify.run(inbox, DRAIN_S, partial(told, history))

    async def statuses(self) -> list[DeliveryStatus]:
        found: list[DeliveryStatus] = []
        async with self.transport.inbox("deliveries", "test") as inbox:
            with suppress(EndOfStream):
                while True:
                    for each in await inbox.receive(100, 1.0):
                        status = codec.decode(each.record)
                        assert isinstance(status, DeliveryStatus)
                        found.append(status)
        return found


async def test_a_500_is_followed_by_a_second_try_with_the_same_id_and_body() -> None:
    run = Run()
    async with receiver(web.Response(status=500)) as ops:
        await run.of(ops.url, ALERT)

    assert len(ops.bodies) == 2
    assert len(set(ops.ids)) == len(set(ops.bodies)) == 1
    (wait_s,) = run.clock.waits_s
    assert 0.0 < wait_s <= 1.0
    assert [each.state for each in await run.statuses()] == ["pending", "pending", "delivered"]


async def test_a_429_is_followed_by_a_try_when_its_retry_after_is_over() -> None:
    run = Run()
    async with receiver(web.Response(status=429, headers={"retry-after": "7"})) as ops:
        await run.of(ops.url, ALERT)

    assert len(ops.bodies) == 2
    assert 5.0 < run.clock.waits_s[0] <= 7.0


async def test_after_a_410_nothing_more_is_sent() -> None:
    run = Run()
    async with receiver(web.Response(status=410)) as ops:
        await run.of(ops.url, ALERT, msgspec.structs.replace(ALERT, state="resolved"))

    assert [event["type"] for event in ops.events] == ["alert.opened"]
    statuses = await run.statuses()
    assert [(each.state_of_alert, each.state, each.attempts) for each in statuses[-2:]] == [
        ("opened", "given_up", 1),
        ("resolved", "given_up", 0),
    ]
    assert {each.answer for each in statuses[-2:]} == {"endpoint ops (127.0.0.1): 410 Gone"}


async def test_a_receiver_that_hangs_gets_the_alert_once_it_is_back() -> None:
    run = Run()

    async def first_hangs(peer: Peer, writer: asyncio.StreamWriter) -> None:
        if peer.connections == 1:
            await hang(peer, writer)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async with peer(first_hangs) as slow:
        await run.of(url_of(slow), ALERT)

    last = (await run.statuses())[-1]
    assert (last.state, last.attempts, last.answer) == ("delivered", 2, "204 No Content")


async def test_a_crash_after_the_2xx_costs_one_repeat_with_the_same_id_and_bytes() -> None:
    crashed, restarted, third = Run(CrashingOutbox), Run(), Run()
    async with receiver() as ops:
        with pytest.RaisesGroup(Crash):
            await crashed.of(ops.url, ALERT)
        history = await crashed.statuses()
        await restarted.of(ops.url, history=history)
        history += await restarted.statuses()
        await third.of(ops.url, ALERT, history=history)

    assert len(ops.bodies) == 2
    assert len(set(ops.ids)) == len(set(ops.bodies)) == 1


async def test_the_receiver_in_the_manual_works(monkeypatch: pytest.MonkeyPatch) -> None:
    manual = Path(__file__).parents[2] / "docs" / "webhooks.md"
    example = manual.read_text().partition("```python\n")[2].partition("```")[0]
    *receives, serves = example.rstrip().split("\n")
    assert serves.endswith(".serve_forever()")
    names: dict[str, Callable[[Mapping[str, str], bytes], dict[str, object]]] = {}
    exec("\n".join(receives), names)
    monkeypatch.setenv("OPS_SECRET", SECRET)
    async with receiver() as ops, sink(ops.url) as webhook:
        await webhook.deliver(ALERT)

    assert names["event_of"](ops.headers[0], ops.bodies[0]) == ops.events[0]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        names["event_of"](ops.headers[0], BODY + b" ")
