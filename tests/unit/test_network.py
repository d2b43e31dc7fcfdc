"""Cameras on the network that are not as they should be: each costs itself alone."""

import asyncio

import numpy as np
import pytest

from connectors.clock import SteadyClock
from connectors.video import open_feed
from stream.errors import CameraError
from stream.ports import Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from tests.support.bare_camera import NTP_S, SOUND, UNKNOWN, Pictures, bare_camera, pictures
from tests.support.topics import PATIENCE_S


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return pictures(tmp_path_factory.mktemp("film"))


async def shots(url: str, count: int) -> list[Shot]:
    """The first so many."""
    found: list[Shot] = []
    camera = CameraSpec(id="hall", url=url)
    async with asyncio.timeout(PATIENCE_S), open_feed(camera, SteadyClock()) as feed:
        async for shot in feed.shots(Sampler(None)):
            found.append(shot)
            if len(found) == count:
                break
    return found


async def test_a_camera_with_a_name_in_another_encoding_gives_its_pictures(
    shown: Pictures,
) -> None:
    async with bare_camera(shown, name="Entrée".encode("latin-1")) as url:
        found = await shots(url, 3)
    assert [shot.size for shot in found] == [(120, 160)] * 3


@pytest.mark.parametrize(
    ("media", "reason"),
    [(SOUND, "it sends no picture"), (UNKNOWN, "its pictures are of a kind that cannot be read")],
)
async def test_a_camera_that_sends_nothing_of_use_may_come_back(
    shown: Pictures, media: bytes, reason: str
) -> None:
    async with bare_camera(shown, media) as url:
        with pytest.raises(CameraError, match=f"camera hall: {reason}") as caught:
            await shots(url, 1)
    assert caught.value.retriable


async def test_a_camera_says_when_it_took_each_picture(shown: Pictures) -> None:
    began_s = 1_700_000_000
    async with bare_camera(shown, ntp_s=NTP_S + began_s) as url:
        found = await shots(url, 3)
    for shot in found:
        number = np.argmax(shot.pixels()[60, :, 1] > 160) // 3  # its bar moves by 3 px
        assert shot.camera_us == began_s * 1_000_000 + number * 40_000


async def test_a_camera_without_a_clock_says_no_time(shown: Pictures) -> None:
    """It counts from when it was switched on, as if that were 1900 (RFC 3550, 6.4.1)."""
    async with bare_camera(shown, ntp_s=300) as url:
        found = await shots(url, 3)
    assert [shot.camera_us for shot in found] == [None] * 3
