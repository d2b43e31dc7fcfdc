"""Who is let in where there is a token: programs, browsers, and nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSMsgType, web
from pydantic import SecretStr
from yarl import URL

from connectors.health import Own, add_probes
from connectors.web import Access, Page, serve
from connectors.web.sessions import SESSION_S, Sessions, cookie_name
from stream.cli.serving import served
from stream.errors import ConfigError
from stream.health import Health
from stream.metrics import Metrics
from stream.specs import SecretSource
from stream.web_spec import WebSpec
from tests.support.clock import START_US, VirtualClock

TOKEN = "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COOKIE = cookie_name(TOKEN.encode())
FORM = "application/x-www-form-urlencoded"
PATIENCE_S = 20.0
PATHS = ["/", "/live", "/metrics", "/static/app.js", "/nowhere"]


class Hours:
    """Seconds since the Unix epoch, turned by hand."""

    def __init__(self) -> None:
        self.now_s = 1.7e9

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def page() -> Page:
    return Page(cameras=["hall"], zones=list, now_us=lambda: START_US)


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def access(hours: Hours) -> Access:
    return Access(SecretStr(TOKEN), {"masks.example", "Yard.example", "[fd00::1]"}, hours)


@pytest.fixture
async def url(page: Page, access: Access) -> AsyncIterator[str]:
    metrics = Metrics()
    own = Own(Health(["topics"]), VirtualClock(), metrics.registry)
    probes = partial(add_probes, probed=own)
    async with serve(page, port=0, metrics=metrics, access=access, parts=[probes]) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:  # it is an address
        yield session


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer ünïcode"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Cookie": f"{COOKIE}=1999999999.{64 * '0'}"},
        {"Cookie": f"{COOKIE}="},
    ],
)
async def test_who_does_not_show_the_token_gets_nothing(
    url: str, client: ClientSession, path: str, shown: dict[str, str]
) -> None:
    async with client.get(url + path, headers=shown) as answer:
        assert answer.status == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        told = await answer.json()
        assert told["status"] == 401
        assert TOKEN not in str(told)


@pytest.mark.parametrize(("path", "status"), [*zip(PATHS, [200, 400, 200, 200, 404], strict=True)])
async def test_who_shows_it_is_let_in(
    url: str, client: ClientSession, path: str, status: int
) -> None:
    async with client.get(url + path, headers=BEARER) as answer:
        assert answer.status == status  # /live wants a WebSocket


async def test_probes_are_open_under_any_name(url: str, client: ClientSession) -> None:
    headers = {"Host": "10.1.2.3:8080"}
    async with client.get(f"{url}/livez", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")
    async with client.get(f"{url}/readyz", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (503, "it waits for: topics\n")


async def test_a_browser_shows_it_once_and_is_let_in_from_then_on(
    url: str, client: ClientSession
) -> None:
    async with client.get(url, headers={"Accept": "text/html,*/*"}) as answer:
        assert answer.status == 401
        form = await answer.text()
        assert '<form method="post" action="/login">' in form
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
    async with client.post(
        f"{url}/login", data={"token": TOKEN}, headers={"Origin": url}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
        assert TOKEN not in cookie
    async with client.get(url) as answer:
        assert answer.status == 200
    async with client.ws_connect(f"{url}/live", headers={"Origin": url}) as socket:
        assert (await socket.receive_json())["type"] == "hello"


async def test_a_cookie_that_came_over_tls_goes_only_there(url: str, client: ClientSession) -> None:
    headers = {"Host": "masks.example", "Origin": "https://masks.example"}
    async with client.post(
        f"{url}/login", data={"token": TOKEN}, headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("token=wrong", FORM),
        ("token=", FORM),
        ("", FORM),
        (f"x={TOKEN}", FORM),
        (b"token=\xff%ff", FORM),
        (f"token={TOKEN}x", f"{FORM}; charset=klingon"),
        ("--x\r\nno part", "multipart/form-data; boundary=x"),
        ("{}", "application/json"),
    ],
)
async def test_a_wrong_token_at_the_form_gives_no_cookie_but_says_so(
    url: str, client: ClientSession, body: str | bytes, kind: str
) -> None:
    headers = {"Content-Type": kind}
    async with client.post(f"{url}/login", data=body, headers=headers) as answer:
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
        assert "That is not the token." in await answer.text()


async def test_a_form_that_cannot_be_unpacked_is_no_fault_of_ours(
    url: str, client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    async with client.post(f"{url}/login", data=b"no gzip", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert not caplog.records


async def test_strangers_may_not_send_more_than_a_form(url: str, client: ClientSession) -> None:
    async with client.post(f"{url}/login", data=f"token={20_000 * 'x'}") as answer:
        assert (answer.status, answer.content_type) == (413, "application/problem+json")


async def test_who_is_in_finds_the_page_at_the_form(url: str, client: ClientSession) -> None:
    async with client.get(f"{url}/login") as answer:
        assert answer.status == 200
    async with client.post(f"{url}/login", data={"token": TOKEN}):
        pass
    async with client.get(f"{url}/login", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_where_no_token_is_asked_for_there_is_no_login(
    page: Page, client: ClientSession, path: str, method: str
) -> None:
    async with (
        serve(page, port=0) as url,
        client.request(method, url + path, data=b"token=x") as answer,
    ):
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_another_site_logs_nobody_in_or_out(
    url: str, client: ClientSession, path: str, origin: str
) -> None:
    headers = {"Origin": origin}
    async with client.post(url + path, data={"token": TOKEN}, headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_who_logs_out_is_out_and_so_is_a_copy_of_the_cookie(
    url: str, client: ClientSession
) -> None:
    async with client.post(f"{url}/login", data={"token": TOKEN}):
        pass
    (cookie,) = client.cookie_jar
    copied = {"Cookie": f"{COOKIE}={cookie.value}"}
    async with client.post(f"{url}/logout", headers={"Origin": url}) as answer:
        assert answer.status == 204
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert len(client.cookie_jar) == 0
    async with client.get(url, headers=copied) as answer:
        assert answer.status == 401
    async with client.post(f"{url}/login", data={"token": TOKEN}) as answer:
        assert answer.status == 200
    async with client.post(f"{url}/logout", headers={"Cookie": f"{COOKIE}=9.x.y"}) as answer:
        assert answer.status == 204


async def test_pages_of_one_host_with_their_own_tokens_leave_each_other_in_peace(
    url: str, page: Page, client: ClientSession
) -> None:
    another = TOKEN[::-1]
    async with serve(page, port=0, access=Access(SecretStr(another))) as beside:
        for where, token in [(url, TOKEN), (beside, another)]:
            async with client.post(f"{where}/login", data={"token": token}) as answer:
                assert answer.status == 200
        async with client.get(url) as answer:
            assert answer.status == 200
        async with client.post(f"{url}/logout") as answer:
            assert answer.status == 204
        async with client.get(beside) as answer:
            assert answer.status == 200


async def test_nobody_is_told_a_cookies_name_who_has_none(url: str, client: ClientSession) -> None:
    async with client.post(f"{url}/logout") as answer:
        assert answer.status == 204
        assert "Set-Cookie" not in answer.headers


async def _ended(socket: ClientWebSocketResponse) -> tuple[int | None, str]:
    """The code and the reason with which a socket is closed."""
    async with asyncio.timeout(PATIENCE_S):
        while (message := await socket.receive()).type is not WSMsgType.CLOSE:
            assert message.type in {WSMsgType.TEXT, WSMsgType.BINARY}
        return message.data, message.extra or ""


@pytest.mark.parametrize("how", ["expiry", "logout", "another token", "no token"])
async def test_a_socket_ends_with_its_session_and_no_other_does(
    url: str, access: Access, client: ClientSession, hours: Hours, how: str
) -> None:
    async with client.post(f"{url}/login", data={"token": TOKEN}):
        pass
    async with (
        ClientSession(headers=BEARER) as program,
        program.ws_connect(f"{url}/live") as other,
        client.ws_connect(f"{url}/live") as socket,
    ):
        assert (await socket.receive_json())["has_session"] is True
        assert (await other.receive_json())["has_session"] is False
        match how:
            case "expiry":
                hours.now_s += SESSION_S + 1
            case "logout":
                async with client.post(f"{url}/logout"):
                    pass
            case "another token":
                access.renew(SecretStr(TOKEN[::-1]))
            case "no token":
                access.renew(None)
        assert await _ended(socket) == (1008, "the session has ended")
        if "token" in how:
            assert await _ended(other) == (1008, "the session has ended")
        else:
            await other.send_json({"camera": "hall"})
            while (await other.receive_json(timeout=PATIENCE_S))["type"] != "span":
                pass


async def test_once_the_token_is_taken_away_nobody_has_it(
    url: str, access: Access, client: ClientSession
) -> None:
    access.renew(None)
    forged = Sessions(time.time).begin(b"")
    for headers in (BEARER, {"Authorization": "Bearer "}, {"Cookie": f"{COOKIE}={forged}"}):
        async with client.get(url, headers=headers) as answer:
            assert answer.status == 401
    async with client.post(f"{url}/login", data={"token": ""}) as answer:
        assert answer.status == 401


async def test_a_file_with_the_token_is_followed(
    page: Page, tmp_path: Path, client: ClientSession
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    spec = WebSpec(port=0, token=SecretSource.model_validate({"file": str(path)}))

    async def wait_for(url: str, status: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with client.get(url, headers=BEARER) as answer:
                    if answer.status == status:
                        return
                await asyncio.sleep(0.05)

    async with served(page, spec, Metrics(), []) as url:
        await wait_for(url, 200)
        path.write_text(TOKEN[::-1])
        await wait_for(url, 401)
        path.write_text(TOKEN)
        await wait_for(url, 200)
        path.unlink()
        await wait_for(url, 401)


async def test_answers_are_kept_nowhere_but_our_own_files(url: str, client: ClientSession) -> None:
    for path, kept in [
        ("/", "no-cache"), ("/static/app.js", "no-cache"), ("/metrics", "no-store"),
        ("/nowhere", "no-store"), ("/login", "no-store"),
    ]:  # fmt: skip
        async with client.get(url + path, headers=BEARER) as answer:
            assert (answer.headers["Cache-Control"], answer.headers["Server"]) == (
                kept, "maskstream",
            )  # fmt: skip


async def test_a_cookie_ends_after_half_a_day_or_with_its_token(page: Page, hours: Hours) -> None:
    name, value = Access(SecretStr(TOKEN), now_s=hours).begin_session()

    async def status(token: str) -> int:
        access = Access(SecretStr(token), now_s=hours)
        cookie = {"Cookie": f"{name}={value}"}
        async with (
            serve(page, port=0, access=access) as url,
            ClientSession() as client,
            client.get(url, headers=cookie) as answer,
        ):
            return answer.status

    assert await status(TOKEN) == 200
    assert await status(TOKEN[::-1]) == 401
    hours.now_s += SESSION_S + 1
    assert await status(TOKEN) == 401


@pytest.mark.parametrize(
    "name",
    [
        "masks.example", "MASKS.example:443", "yard.example", "127.0.0.1", "[::1]:80",
        "[fd00::1]", "[FD00::1]:8080",
    ],
)  # fmt: skip
async def test_the_names_that_are_listed_are_answered_to(
    url: str, client: ClientSession, name: str
) -> None:
    headers = {**BEARER, "Host": name, "Origin": f"https://{name}"}
    async with client.get(url, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", ["evil.example", "x.masks.example", "masks.example.evil", "["])
async def test_others_are_refused_with_a_token_as_well(
    url: str, client: ClientSession, name: str
) -> None:
    async with client.get(url, headers={**BEARER, "Host": name}) as answer:
        assert answer.status == 403
    async with client.get(url, headers={**BEARER, "Origin": f"https://{name}"}) as answer:
        assert answer.status == 403


async def test_metrics_are_given_by_any_name_for_the_token_but_for_no_cookie(
    url: str, client: ClientSession
) -> None:
    anywhere = {"Host": "10.0.0.11:8080"}
    async with client.get(f"{url}/metrics", headers={**BEARER, **anywhere}) as answer:
        assert (answer.status, "maskstream_viewers" in await answer.text()) == (200, True)
    async with client.post(f"{url}/login", data={"token": TOKEN}):
        pass
    (cookie,) = client.cookie_jar
    shown = [{}, {"Cookie": f"{cookie.key}={cookie.value}"}, {"Authorization": f"Bearer {TOKEN}x"}]
    for headers in [*shown, {**BEARER, "Origin": "http://evil.example"}]:
        async with client.get(f"{url}/metrics", headers={**headers, **anywhere}) as answer:
            assert answer.status == 403


async def test_without_a_token_metrics_are_for_this_machine_alone(
    page: Page, client: ClientSession
) -> None:
    async with serve(page, port=0, metrics=Metrics()) as url:
        headers = {**BEARER, "Host": "10.0.0.11:8080"}
        async with client.get(f"{url}/metrics", headers=headers) as answer:
            assert answer.status == 403


async def test_with_a_token_other_machines_may_be_served(page: Page) -> None:
    async with serve(page, host="0.0.0.0", port=0, access=Access(SecretStr(TOKEN))) as url:
        assert url.startswith("http://0.0.0.0:")
    with pytest.raises(ConfigError, match="needs a token"):
        async with serve(page, host="0.0.0.0", port=0):
            pass


async def test_the_log_says_that_wrong_tokens_come_and_from_where_but_not_each_time(
    url: str, client: ClientSession, hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = f"{TOKEN}\u2028ERROR"
    for minutes in (0, 0.5, 1):
        hours.now_s += 60 * minutes
        async with client.post(f"{url}/login", data={"token": wrong}):
            pass
        async with client.get(url, headers={"Authorization": f"Bearer {TOKEN}x"}):
            pass
        async with client.get(url):  # who shows nothing is no news
            pass
    assert caplog.messages == [
        "web.token: wrong ones so far: 1, the last from 127.0.0.1",
        "web.token: wrong ones so far: 5, the last from 127.0.0.1",
    ]


async def test_what_a_path_holds_is_escaped_in_the_log(
    page: Page, client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    def add(app: web.Application) -> None:
        app.router.add_get("/fail/{name}", fail)

    async with (
        serve(page, port=0, parts=[add]) as url,
        client.get(URL(f"{url}/fail/x%0Aall%20is%20well%1B[2J", encoded=True)) as answer,
    ):
        assert answer.status == 500
        assert "ZeroDivisionError" not in await answer.text()
    assert caplog.messages == ["GET /fail/x%0Aall%20is%20well%1B[2J"]
