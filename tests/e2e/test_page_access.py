"""Who is let in where there is a token: programs, browsers, and nobody else."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from aiohttp import ClientSession, CookieJar
from pydantic import SecretStr

from connectors.health import Own, add_probes
from connectors.web import Access, Page, serve
from connectors.web.guard import COOKIE, SESSION_S
from stream.errors import ConfigError
from stream.health import Health
from stream.metrics import Metrics
from tests.support.clock import START_US, VirtualClock

TOKEN = "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
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
async def url(page: Page, hours: Hours) -> AsyncIterator[str]:
    access = Access(SecretStr(TOKEN), {"masks.example", "Yard.example", "[fd00::1]"}, hours)
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
        assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
    async with client.post(
        f"{url}/login", data={"token": TOKEN}, headers={"Origin": url}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
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


async def test_a_wrong_token_at_the_form_gives_no_cookie(url: str, client: ClientSession) -> None:
    for data in ({"token": "wrong"}, {"token": ""}, {}):
        async with client.post(f"{url}/login", data=data) as answer:
            assert answer.status == 401
            assert "Set-Cookie" not in answer.headers


async def test_a_cookie_ends_after_half_a_day_or_with_its_token(page: Page, hours: Hours) -> None:
    value = Access(SecretStr(TOKEN), now_s=hours).session()

    async def status(token: str) -> int:
        access = Access(SecretStr(token), now_s=hours)
        cookie = {"Cookie": f"{COOKIE}={value}"}
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


async def test_with_a_token_other_machines_may_be_served(page: Page) -> None:
    async with serve(page, host="0.0.0.0", port=0, access=Access(SecretStr(TOKEN))) as url:
        assert url.startswith("http://0.0.0.0:")
    with pytest.raises(ConfigError, match="needs a token"):
        async with serve(page, host="0.0.0.0", port=0):
            pass
