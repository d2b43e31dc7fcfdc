"""A user's webhook receiver on this machine, as a thread: it checks signatures, and can be down."""

import base64
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import standardwebhooks

from tests.support.http_server import Quiet, answering

SECRET = base64.b64encode(b"a key that only tests know").decode()
DOWN, UP, REFUSED = 503, 200, 401


@dataclass
class Receiver:
    """What came, by ``webhook-id``, and how it is answered."""

    status: int = UP
    port: int = 0
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    """How often each was taken as a user's code would: before the answer went out."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each try that was signed well, by their names in lower case."""
    refused: int = 0
    """Tries whose signature, or its time, was wrong."""
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, name: str, body: bytes) -> int:
        """The status to answer with."""
        self.bodies.setdefault(name, set()).add(body)
        if self.status == UP:
            self.taken[name] += 1
        status = self.status
        self.may_answer.wait()
        return status


@contextmanager
def receiver(status: int, secret: str = SECRET) -> Iterator[Receiver]:
    """A receiver that answers at once, with ``status`` until that is changed."""
    found = Receiver(status)
    found.may_answer.set()

    class Hook(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                standardwebhooks.Webhook(secret).verify(body, dict(self.headers))
            except standardwebhooks.WebhookVerificationError:
                found.refused += 1
                self.send_response(REFUSED)
            else:
                found.headers.append({name.lower(): text for name, text in self.headers.items()})
                self.send_response(found.take(self.headers["webhook-id"], body))
            self.send_header("content-length", "0")
            self.end_headers()

    with answering(Hook) as found.port:
        try:
            yield found
        finally:
            found.may_answer.set()
