"""Cameras on the network that are not as they should be: each costs itself alone."""

import asyncio

import pytest

from connectors.clock import SteadyClock
from connectors.video import open_feed
from stream.errors import CameraError
from stream.ports import Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from tests.support.bare_camera import SOUND, UNKNOWN, Pictures, bare_camera, pictures
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
