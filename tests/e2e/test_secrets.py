"""A secret is found nowhere but in its file, and a password on the way to its camera."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from connectors import open_transport
from connectors.kafka.topics import TOPICS
from stream import codec
from stream.cli.bench.sleeping import Sleep
from stream.config import load
from tests.support.alerts import opened
from tests.support.films import Film, write_film
from tests.support.receiver import DOWN, UP, receiver
from tests.support.roles import Deployment, deployment
from tests.support.rtsp import RtspServer, pack, rtsp_server
from tests.support.waiting import wait_until
from tests.support.web import page

pytestmark = pytest.mark.slow

CANARY = "c4nary/B1rd:5ings@dawn"
WRONG = "wr0ng-C4nary"
SECRETS = [form for word in (CANARY, WRONG) for form in (word, quote(word, safe=""))]


def credentials(folder: Path, password: str) -> None:
    entry = f"{{user: eye, password: '{password}', hosts: [127.0.0.1]}}\n"
    (folder / "hall.yaml").write_text(entry)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtspServer]:
    film = pack(write_film(tmp_path / "film.mp4", Film()), tmp_path / "film.packets")
    with rtsp_server() as server:
        server.add("/hall", file=film, user="eye", password=CANARY)
        yield server


async def everything_written(deployed: Deployment) -> bytes:
    """All topics: keys, values and headers."""
    transport = open_transport(load(deployed.config, secrets=False))
    found = []
    for topic in TOPICS:
        async for record in transport.whole(topic):
            found += [record.key.encode(), bytes(record.value), *record.headers.values()]
    return b"\n".join(found)


def command_lines() -> str:
    """Of all processes."""
    texts = []
    for own in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(own.read_text(errors="replace"))
        except OSError:  # it has ended meanwhile
            continue
    return "\n".join(texts)


def test_a_password_is_found_nowhere(tmp_path: Path, kafka: str, server: RtspServer) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    credentials(folder, CANARY)
    camera = {"id": "hall", "url": server.url("/hall"), "mode": "live", "credentials": "hall"}
    with deployment(
        tmp_path, kafka, cameras=[camera], zones=[], rules=[], credentials=str(folder)
    ) as deployed:
        segment = deployed.start_sleeping(Sleep(batch_size=8, seconds=0.01))
        (ingest,) = deployed.start("ingest")
        wait_until(lambda: deployed.records("masks") > 20, "the password opens the camera")
        told = [command_lines()]
        credentials(folder, WRONG)
        server.kick()
        wait_until(lambda: "refuses our credentials" in status(deployed), "the camera refuses it")
        (folder / "hall.yaml").write_text(f"{{password: '{CANARY}', hosts: [127.0.0.1]}}\n")
        wait_until(
            lambda: "hall.yaml:1: user: missing" in status(deployed),
            "the file is found wrong",
        )
        told += [each.get("/metrics") for each in (ingest, segment)]
        told += [text for each in ("check", "audit") for text in said(deployed, each)]
        ingest.stop()
        told += [each.text() for each in deployed.processes]
        written = asyncio.run(everything_written(deployed))
    assert len(written) > 10_000
    for secret in SECRETS:
        assert secret.encode() not in written
        assert not [text for text in told if secret in text]


def test_signing_keys_are_found_nowhere(tmp_path: Path, kafka: str) -> None:
    keys = [b"c4nary-B1rd-5ings-at-dawn-new", b"c4nary-B1rd-5ang-at-dusk-old"]
    texts = [base64.b64encode(key).decode() for key in keys]
    files = [tmp_path / name for name in ("new", "old")]
    for file, text in zip(files, texts, strict=True):
        file.write_text(f"whsec_{text}\n")
    with receiver(DOWN, secret=texts[1]) as ops, deployment(tmp_path, kafka) as deployed:
        new, old = ({"file": str(file)} for file in files)
        endpoint = {"id": "ops", "url": ops.url, "secret": new, "previous_secret": old}
        deployed.configure(endpoints=[{**endpoint, "allow_private": True}])
        (notify,) = deployed.start("notify")
        deployed.write("alerts", [codec.encode(opened("1"))])
        wait_until(lambda: bool(ops.bodies), "the receiver refuses it")
        told = [command_lines(), notify.get("/metrics")]
        ops.status = UP
        wait_until(lambda: bool(ops.taken), "the receiver takes it, by the key before")
        told += [text for each in ("check", "audit") for text in said(deployed, each)]
        notify.stop()
        told.append(notify.text())
        written = asyncio.run(everything_written(deployed))
    assert b"delivered" in written
    for key, text in zip(keys, texts, strict=True):
        for form in (key, text.encode(), key.hex().encode()):
            assert form not in written
            assert form not in "\n".join(told).encode()


def test_the_token_of_the_page_is_found_nowhere(tmp_path: Path, kafka: str) -> None:
    token = "c4nary-B1rd-5ings-at-dawn-for-the-page"
    (tmp_path / "token").write_text(f"{token}\n")
    web = {"port": 0, "token": {"file": str(tmp_path / "token")}}
    with deployment(tmp_path, kafka, web=web) as deployed:
        (process,) = deployed.start("web")
        url = page(process)
        told = [command_lines(), process.get("/metrics")]
        paths = ("/", "/metrics", "/v1/cameras", "/v1/openapi.json", "/v1/", "/nowhere")
        shown = (token, f"{token[:-1]}x", "")
        told += [_answered(url + path, each) for path in paths for each in shown]
        told += [text for each in ("check", "audit") for text in said(deployed, each)]
        process.stop()
        told.append(process.text())
        written = asyncio.run(everything_written(deployed))
    assert "maskstream" in "".join(told)
    for form in (token, token.encode().hex(), base64.b64encode(token.encode()).decode()):
        assert form.encode() not in written
        assert not [text for text in told if form in text]


def _answered(url: str, token: str) -> str:
    try:
        with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"})) as answer:
            return f"{answer.headers}\n{answer.read().decode()}"
    except HTTPError as error:
        return f"{error.headers}\n{error.read().decode()}"


def said(deployed: Deployment, command: str) -> list[str]:
    done = deployed.tried(command)
    return [done.stdout, done.stderr]


def status(deployed: Deployment) -> str:
    """All that was said about the camera."""
    return asyncio.run(_status(deployed))


async def _status(deployed: Deployment) -> str:
    transport = open_transport(load(deployed.config, secrets=False))
    return "\n".join(
        [bytes(each.value).decode() async for each in transport.whole("camera-status")]
    )
