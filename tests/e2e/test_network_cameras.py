"""Pictures of real cameras on a real RTSP server."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from connectors.clock import SteadyClock
from connectors.video import open_feed
from connectors.video.network import READ_S
from connectors.video.pace import WINDOW
from stream.errors import CameraChangedError, CameraError, CredentialsRefusedError
from stream.ports import Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from tests.support.films import Film, write_film
from tests.support.roles import deployment
from tests.support.rtsp import RtspServer, pack, rtsp_server
from tests.support.waiting import eventually, wait_until

CLOCK = SteadyClock()
FILMS = {
    "h264": Film(),
    "between": Film(between=2),
    "h265": Film("libx265"),
    "mjpeg": Film("mjpeg"),
    "small": Film(size=(96, 128)),
    "slow": Film(fps=10),
}
PASSWORD = "p:ss/w@rd #1"
PATIENCE_S = 20.0
MANY = 16
STILL_S = 0.5
"""Several times as long as from one picture to the next."""

Meddle = Callable[[RtspServer], None]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packets of each film."""
    folder = tmp_path_factory.mktemp("films")
    return {
        name: pack(
            write_film(folder / f"{name}.{'avi' if name == 'mjpeg' else 'mp4'}", film),
            folder / f"{name}.packets",
        )
        for name, film in FILMS.items()
    }


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with rtsp_server() as server:
        yield server


def camera(url: str, **words: object) -> CameraSpec:
    return CameraSpec.model_validate({"id": "hall", "url": url} | words)


async def shots(spec: CameraSpec, count: int, credentials: Path | None = None) -> list[Shot]:
    """The first so many that the camera is asked for."""
    found: list[Shot] = []
    async with (
        asyncio.timeout(PATIENCE_S),
        open_feed(spec, CLOCK, credentials) as feed,
    ):
        async for shot in feed.shots(Sampler(spec.fps)):
            found.append(shot)
            if len(found) == count:
                break
    return found


async def end(spec: CameraSpec, after: Callable[[], None]) -> CameraError:
    """What a connection ends with; ``after`` happens once pictures come."""

    async def play() -> None:
        number = 0
        async with asyncio.timeout(PATIENCE_S), open_feed(spec, CLOCK) as feed:
            async for _ in feed.shots(Sampler(None)):
                number += 1
                if number == WINDOW + 10:
                    after()

    with pytest.raises(CameraError) as caught:
        await play()
    return caught.value


@pytest.mark.parametrize("name", ["h264", "between", "h265", "mjpeg"])
@pytest.mark.parametrize("rtsp", ["tcp", "udp"])
async def test_a_camera_gives_its_pictures_at_their_times(
    server: RtspServer, films: dict[str, Path], name: str, rtsp: str
) -> None:
    url = server.add(f"/{name}", file=films[name])
    found = await shots(camera(url, rtsp=rtsp), 40)
    assert all(shot.decoding_us > 0 for shot in found)
    assert all((shot.decoded_us or 0) > shot.arrived_us for shot in found)
    times_s = [shot.time_s for shot in found]
    assert times_s == pytest.approx([number / 25 for number in range(40)], abs=0.002)
    assert {shot.size for shot in found} == {(120, 160)}
    bars = [int(np.argmax(shot.pixels()[60, :, 1] > 160)) for shot in found]
    steps = [after - before for before, after in pairwise(bars)]
    assert sum(abs(step - 3) <= 1 for step in steps) >= len(steps) - 2, bars  # but where it turns


async def test_a_camera_says_how_large_and_how_often(
    server: RtspServer, films: dict[str, Path]
) -> None:
    async with open_feed(camera(server.add("/slow", file=films["slow"])), CLOCK) as feed:
        assert feed.size == (120, 160)
        assert feed.fps == 10
        assert feed.frames is None
        assert feed.started_us is None


async def test_only_what_is_asked_for_is_given(server: RtspServer, films: dict[str, Path]) -> None:
    url = server.add("/hall", file=films["h264"])
    found = await shots(camera(url, fps=5), 8)
    first, *steps = (after.time_s - before.time_s for before, after in pairwise(found))
    assert 0.15 < first < 0.201
    assert steps == pytest.approx([0.2] * 6, abs=0.002)


async def test_a_camera_tells_the_time(server: RtspServer, films: dict[str, Path]) -> None:
    found = await shots(camera(server.add("/hall", file=films["h264"])), 120)
    ages_us = [shot.arrived_us - shot.camera_us for shot in found if shot.camera_us is not None]
    assert len(ages_us) > 20, "its first report comes within some seconds"
    assert 0 < np.median(ages_us) < 500_000


async def test_a_password_opens_a_camera_and_a_wrong_one_does_not(
    server: RtspServer, films: dict[str, Path], tmp_path: Path
) -> None:
    url = server.add("/hall", file=films["h264"], user="eye", password=PASSWORD)
    for name, password in (("right", PASSWORD), ("wrong", "guess")):
        (tmp_path / f"{name}.yaml").write_text(
            f"{{user: eye, password: '{password}', hosts: [127.0.0.1]}}\n"
        )
    assert len(await shots(camera(url, credentials="right"), 3, tmp_path)) == 3
    with pytest.raises(CredentialsRefusedError) as caught:
        await shots(camera(url, credentials="wrong"), 1, tmp_path)
    assert str(caught.value) == "camera hall: it refuses our credentials wrong"
    with pytest.raises(CredentialsRefusedError, match=r"wants a password; .* credentials: NAME"):
        await shots(camera(url), 1, tmp_path)


async def test_a_name_that_leads_nowhere_is_told() -> None:
    no_name = camera("rtsp://cam..lan/live")  # no resolver is asked for an empty label
    with pytest.raises(CameraError, match=r"camera hall: the name cam\.\.lan leads to no address"):
        await shots(no_name, 1)


async def test_a_path_that_is_not_there_may_come_back(server: RtspServer) -> None:
    with pytest.raises(CameraError, match=r"camera hall: .*404") as caught:
        await shots(camera(server.url("/nothing")), 1)
    assert caught.value.retriable


@pytest.mark.parametrize("meddle", [RtspServer.kick, RtspServer.kill], ids=["kicked", "killed"])
async def test_a_connection_that_ends_is_lost(
    server: RtspServer, films: dict[str, Path], meddle: Meddle
) -> None:
    spec = camera(server.add("/hall", file=films["h264"]))
    error = await end(spec, lambda: meddle(server))
    assert type(error) is CameraError
    assert "camera hall: " in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    "meddle",
    [lambda server: server.stall("/hall"), RtspServer.freeze],
    ids=["no picture, but reports", "nothing at all"],
)
async def test_a_camera_that_falls_silent_is_lost(
    server: RtspServer, films: dict[str, Path], meddle: Meddle
) -> None:
    spec = camera(server.add("/hall", file=films["h264"]))
    error = await end(spec, lambda: meddle(server))
    assert f"for {READ_S:g} s" in str(error)


async def test_another_size_is_a_change(server: RtspServer, films: dict[str, Path]) -> None:
    spec = camera(server.add("/hall", file=films["h264"]))
    error = await end(spec, lambda: server.switch("/hall", file=films["small"]))
    assert isinstance(error, CameraChangedError)
    assert "its picture changed from 160×120 to 128×96" in str(error)


async def test_another_rate_is_a_change(server: RtspServer, films: dict[str, Path]) -> None:
    spec = camera(server.add("/hall", file=films["h264"]))
    error = await end(spec, lambda: server.switch("/hall", file=films["slow"]))
    assert isinstance(error, CameraChangedError)
    assert "its rate changed from 25.0/s to " in str(error)


async def test_time_that_goes_back_is_a_change(server: RtspServer, films: dict[str, Path]) -> None:
    spec = camera(server.add("/hall", file=films["h264"]))
    error = await end(spec, lambda: server.jump("/hall", -0.8))
    assert isinstance(error, CameraChangedError)
    assert "its clock went back by " in str(error)


async def test_a_camera_that_hangs_holds_nobody_up(
    server: RtspServer, films: dict[str, Path]
) -> None:
    """Who lets go of it goes on at once; its thread ends by itself."""
    spec = camera(server.add("/hang", file=films["h264"]), id="hang")
    last_s = math.inf

    async def read() -> None:
        nonlocal last_s
        async with open_feed(spec, CLOCK) as feed:
            async for _ in feed.shots(Sampler(None)):
                last_s = time.monotonic()

    reading = asyncio.create_task(read())
    await eventually(lambda: last_s < math.inf, "its pictures come")
    server.freeze()
    # What is on its way still comes; only a thread that waits for more hangs.
    await eventually(lambda: time.monotonic() - last_s > STILL_S, "no more of them come")
    reading.cancel()
    await asyncio.wait({reading}, timeout=READ_S / 4)
    assert reading.done()
    assert "camera hang" in threads()
    server.freeze(frozen=False)
    await eventually(lambda: "camera hang" not in threads(), "its thread ends")


def test_who_ends_waits_for_no_camera_that_hangs(
    server: RtspServer, films: dict[str, Path], tmp_path: Path, kafka: str
) -> None:
    """FFmpeg asks Python whether to wait on: where Python was gone, that killed the process."""
    many = [
        {"id": f"hall-{number}", "url": server.add(f"/hall-{number}", file=films["h264"])}
        for number in range(MANY)
    ]
    with deployment(tmp_path, kafka, cameras=many, zones=[], rules=[]) as deployed:
        (ingest,) = deployed.start("ingest")
        wait_until(lambda: " ".join(ingest.events()).count(": live") == MANY, "all are live")
        server.freeze()
        ingest.popen.terminate()
        assert ingest.popen.wait(READ_S / 2) == 0


def threads() -> set[str]:
    return {each.name for each in threading.enumerate()}
