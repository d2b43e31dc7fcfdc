"""Standard Webhooks 1.0.0 over HTTPS: signs an alert and posts it, once.

Whoever may name an endpoint must not reach what only this host can reach. So the address is
judged on the socket that is about to connect, after every lookup: a name that resolves to another
address at the second look gains nothing, and neither does an IP literal, which needs no lookup.
Redirects are not followed, and no proxy, cookie or netrc of the environment is used.
"""

import asyncio
import hashlib
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
import standardwebhooks
from pydantic import SecretBytes
from yarl import URL

from stream import tracing
from stream.config import is_public
from stream.errors import (
    ConfigError,
    DeliveryError,
    DeliveryRefusedError,
    EndpointGoneError,
    TooLargeError,
)
from stream.ports import TimeOfDay
from stream.specs import EndpointSpec
from stream.types import Alert

TIMEOUT_S = 15.0
"""For one try from lookup to last byte; the specification recommends 15 to 30 s."""
_KEPT_BYTES = 1024
_SHOWN_CHARS = 200
_RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_OF_A_SIGNATURE = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""What receivers answer where a signature, or its time, is not to their liking."""
_TOLERANCE_S = 300.0
"""How far off a time may be before receivers refuse it: that of the specification's libraries."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Webhook:
    """A `stream.ports.Sink`: ``async with Webhook(...)``, then `deliver`; not to be opened twice.

    Each of ``keys`` signs, as `stream.config.signing_keys` reads them: a receiver takes what one of
    its keys signed. ``to_body`` makes what is posted: JSON, the same for every try. ``clock`` gives
    the time of a try, which receivers compare with theirs (within 5 minutes): so it is the wall
    clock, which may be put right while we run.

    Raises `ConfigError` for a URL that is not https (or http with ``allow_private``) to a host.
    """

    def __init__(
        self,
        spec: EndpointSpec,
        keys: Sequence[SecretBytes],
        to_body: Callable[[Alert], bytes],
        clock: TimeOfDay,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._place = f"endpoint {spec.id}"
        self._url = _checked_url(spec)
        self._signers = [standardwebhooks.Webhook(key.get_secret_value()) for key in keys]
        self._to_body = to_body
        self._allow_private = spec.allow_private
        self._clock = clock
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._opened = False

    def __repr__(self) -> str:
        return f"<Webhook {self._place} at {self._url.host}>"

    async def __aenter__(self) -> Self:
        if self._opened:
            raise RuntimeError(f"{self!r} was opened before; make a new one")
        self._opened = True
        self._session = aiohttp.ClientSession(
            # A connection lives for one try: an idle one that the receiver has closed meanwhile
            # would cost an alert a retry. Lookups of one host at a time share a thread.
            connector=aiohttp.TCPConnector(force_close=True, socket_factory=self._open_socket),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def deliver(self, alert: Alert) -> str:
        """Post the alert's body once, signed. Returns the status and the beginning of the answer.

        Raises `DeliveryError` when no answer came in time, or one that means "later" (408, 425,
        429, 5xx; with what Retry-After asks for; 400, 401, 403 where its clock and ours are too far
        apart for it to take what we sign), `EndpointGoneError` for 410, and `DeliveryRefusedError`
        for any other answer that is not 2xx, for an address that is not public and for an alert
        that is too large.
        Errors name the host, never the URL, whose path may be a secret.
        """
        if self._session is None:
            raise RuntimeError(f"{self!r} is not open")
        try:
            body = self._to_body(alert)
            response, excerpt = await self._post(self._session, self._headers(alert, body), body)
        except TooLargeError as error:
            raise DeliveryRefusedError(self._say(str(error))) from None
        except TimeoutError:
            raise DeliveryError(self._say(f"no answer within {self._timeout_s:g} s")) from None
        except (aiohttp.InvalidURL, UnicodeError):
            raise DeliveryRefusedError(self._say("the host cannot be looked up")) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._network_error(error) from None
        return self._judge(response, excerpt)

    def _headers(self, alert: Alert, body: bytes) -> dict[str, str]:
        name = message_id(alert)
        moment = _moment(self._clock.now_us())
        signatures = [signer.sign(name, moment, body.decode()) for signer in self._signers]
        trace = tracing.header()
        return {
            "content-type": "application/json",
            "user-agent": "maskstream",
            "accept-encoding": "identity",
            "webhook-id": name,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": " ".join(signatures),
            **({} if trace is None else {tracing.HEADER: trace.decode()}),
        }

    async def _post(
        self, session: aiohttp.ClientSession, headers: Mapping[str, str], body: bytes
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        async with asyncio.timeout_at(deadline):
            response = await session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            )
        try:
            return response, await _excerpt(response, deadline)
        finally:
            response.close()

    def _judge(self, response: aiohttp.ClientResponse, excerpt: bytes) -> str:
        status = response.status
        answer = f"{status} {_printable(response.reason or '')}".strip()
        if text := _printable(excerpt.decode("utf-8", "replace")):
            answer += f": {text[:_SHOWN_CHARS]}"
        if 200 <= status < 300:
            return answer
        if 300 <= status < 400:
            raise DeliveryRefusedError(self._say(f"{answer}; redirects are not followed"))
        ours = _moment(self._clock.now_us())
        its = _date(response.headers.get("date", "")) or ours
        if status >= 500 or status in _RETRIED:
            wait_s = _retry_after_s(response.headers.get("retry-after", ""), its)
            raise DeliveryError(self._say(answer), wait_s)
        if status == HTTPStatus.GONE:
            raise EndpointGoneError(self._say(answer))
        apart_s = (its - ours).total_seconds()
        if status in _OF_A_SIGNATURE and abs(apart_s) > _TOLERANCE_S:
            raise DeliveryError(self._say(f"{answer}; its clock is {apart_s:+.0f} s from ours"))
        raise DeliveryRefusedError(self._say(answer))

    def _network_error(self, error: aiohttp.ClientError | OSError) -> DeliveryError:
        cause = getattr(error, "os_error", error)
        if isinstance(cause, _AddressError):
            return DeliveryRefusedError(
                self._say(f"address {cause.address} is not public; set allow_private to allow it")
            )
        # aiohttp's own wording of a broken answer has the URL in it; its `message` does not.
        detail = _printable(str(getattr(cause, "message", cause)))[:_SHOWN_CHARS]
        return DeliveryError(self._say(f"{type(error).__name__}: {detail}"))

    def _say(self, what: str) -> str:
        return f"{self._place} ({self._url.host}): {what}"

    def _open_socket(self, target: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, peer = target
        if not self._allow_private and not is_public(peer[0]):
            raise _AddressError(peer[0])
        return socket.socket(family, kind, protocol)


class _AddressError(OSError):
    """Worded without the address: aiohttp keeps the type only where several read the same."""

    def __init__(self, address: str) -> None:
        super().__init__("address is not public")
        self.address = address


def message_id(alert: Alert) -> str:
    """The ``webhook-id``: equal for every try and every repeat of one change of an alert.

    A hash, so that no field of an alert gets into a header or adds a full stop to what is signed.
    """
    change = f"{alert.id}/{alert.state}/{alert.time_us}"
    return f"msg_{hashlib.sha256(change.encode()).hexdigest()[:32]}"


def _checked_url(spec: EndpointSpec) -> URL:
    place = f"endpoint {spec.id}: url"
    try:
        url = URL(spec.url)
    except ValueError:
        raise ConfigError(f"{place}: not a URL; allowed: https://host/path") from None
    if url.scheme != "https" and not (url.scheme == "http" and spec.allow_private):
        raise ConfigError(
            f"{place}: given {url.scheme or 'no scheme'}; allowed: https, http with allow_private"
        )
    if not url.host:
        raise ConfigError(f"{place}: names no host; allowed: https://host/path")
    return url


async def _excerpt(response: aiohttp.ClientResponse, deadline: float) -> bytes:
    """The first bytes of the answer; what comes late or broken does not change its status."""
    kept = bytearray()
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout_at(deadline):
            while chunk := await response.content.read(_KEPT_BYTES - len(kept)):
                kept += chunk
    return bytes(kept)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()


def _retry_after_s(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for: seconds or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    moment = _date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _date(value: str) -> datetime | None:
    """A date of HTTP; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _moment(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
