"""A network of containers on this machine alone: a bridge in a network namespace of its own.

Nothing of it is seen outside, and nothing leads out. Linux, and root; gone with the process.
"""

import ctypes
import os
import shutil
import socket
import struct
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from tests.support.required import require
from tests.support.waiting import wait_until

GATEWAY = "10.77.0.1"
CLONE_NEWNET = 0x40000000
A, FOUND, NO_SUCH_NAME = 1, 0x8580, 0x8583

T = TypeVar("T")


def require_bridge() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names ``mount``, where no network may be made."""
    require("mount", not (told := _refusal()), f"no network of containers: {told}")


@cache
def _refusal() -> str:
    """Why none can be made: also root may lack the right, as in a container of an engine."""
    if missing := [each for each in ("ip", "nsenter", "unshare") if shutil.which(each) is None]:
        return f"{' and '.join(missing)} not found"
    trying = ["unshare", "--net", "ip", "link", "add", "bridge", "type", "bridge"]
    return subprocess.run(trying, check=False, capture_output=True, text=True).stderr.strip()


class Namespace:
    """A network namespace, held by a process that ends when ours does."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(self.path) != own, "it has a network of its own")

    @property
    def path(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def within(self) -> list[str]:
        """Before a command, so that it runs there."""
        return ["nsenter", f"--net={self.path}"]

    def call(self, do: Callable[[], T]) -> T:
        """The result of a function that is called there, in a thread of its own."""

        def enter() -> None:
            with Path(self.path).open() as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

        with ThreadPoolExecutor(1, initializer=enter) as thread:
            return thread.submit(do).result()

    def ip(self, *lines: str) -> None:
        """Change links and addresses there: words of `ip`, a command a line."""
        text = "".join(f"{line}\n" for line in lines)
        subprocess.run([*self.within, "ip", "-batch", "-"], input=text, text=True, check=True)

    def end(self) -> None:
        self._holder.kill()
        self._holder.communicate()


class Bridge:
    """Containers that reach each other by the names of their services; one may lead to many."""

    def __init__(self) -> None:
        self._hub = Namespace()
        self._joined: list[Namespace] = []
        self.addresses: defaultdict[str, list[str]] = defaultdict(list)
        self._hub.ip(
            "link set lo up", "link add bridge type bridge",
            f"addr add {GATEWAY}/24 dev bridge", "link set bridge up",
        )  # fmt: skip
        self._names = self._hub.call(self._listening)
        self._answering = threading.Thread(target=self._answer, daemon=True)
        self._answering.start()

    @staticmethod
    def _listening() -> socket.socket:
        listening = socket.socket(type=socket.SOCK_DGRAM)
        listening.bind((GATEWAY, 53))
        return listening

    def _answer(self) -> None:
        """Until an empty question comes."""
        while True:
            query, who = self._names.recvfrom(1500)
            if not query:
                return
            self._names.sendto(answer(query, self.addresses), who)

    def join(self, name: str) -> Namespace:
        """A namespace with an address that ``name`` leads to."""
        joined = Namespace()
        self._joined.append(joined)
        number = len(self._joined) + 1
        address = f"10.77.0.{number}"
        self._hub.ip(
            f"link add veth{number} type veth peer name eth0 netns {joined.pid}",
            f"link set veth{number} master bridge up",
        )
        joined.ip(
            "link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up",
        )  # fmt: skip
        self.addresses[name].append(address)
        return joined

    def leave(self, name: str, joined: Namespace) -> None:
        """The name leads there no more."""
        address = f"10.77.0.{self._joined.index(joined) + 2}"
        self.addresses[name].remove(address)

    def call(self, do: Callable[[], T]) -> T:
        """The result of a function that is called beside the containers."""
        return self._hub.call(do)

    def end(self) -> None:
        def ask_nothing() -> None:
            with socket.socket(type=socket.SOCK_DGRAM) as asking:
                asking.sendto(b"", (GATEWAY, 53))

        self._hub.call(ask_nothing)
        self._answering.join()
        self._names.close()
        for each in (*self._joined, self._hub):
            each.end()


def answer(query: bytes, addresses: defaultdict[str, list[str]]) -> bytes:
    """What a server that knows these names says (RFC 1035, section 4)."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    (kind,) = struct.unpack_from("!H", query, at + 1)
    found = addresses.get(".".join(labels).lower())
    told = [socket.inet_aton(each) for each in found or []] if kind == A else []
    flags = FOUND if found else NO_SUCH_NAME
    head = query[:2] + struct.pack("!HHHHH", flags, 1, len(told), 0, 0)
    return head + query[12 : at + 5] + b"".join(
        struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + each for each in told
    )  # fmt: skip


@contextmanager
def bridge() -> Iterator[Bridge]:
    made = Bridge()
    try:
        yield made
    finally:
        made.end()
