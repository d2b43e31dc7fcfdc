"""A file that is read far faster than it is segmented: it waits, whole, and live cameras do not."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from connectors.kafka.admin import open_admin
from connectors.kafka.backlog import MOST_FRAMES
from connectors.kafka.client import client_options
from connectors.kafka.reading import open_reader
from stream.cli.bench.published import age_s, published
from stream.cli.bench.sleeping import Sleep
from stream.config import Settings, load
from stream.sampling import frames_kept
from tests.faults.film import FULL
from tests.support.clips import loop_clip, write_clip
from tests.support.roles import DATA, Deployment, deployment
from tests.support.waiting import wait_until

MINUTES = 10 if FULL else 1
FILM_FPS, OFFERED_FPS = 15, 10
LIVE, LIVE_FPS = ("hall", "gate"), 2
SLEEP = Sleep(batch_size=2, seconds=0.1)
"""20 frames/s, of which the film gets 16: a core that has nothing else to do reads 200."""
LONGEST_S = 200 * MINUTES
PARTITION = 0


def cameras(folder: Path) -> list[dict[str, object]]:
    """The film, and live cameras that play for longer than it takes."""
    film = folder / "film.mp4"
    loop_clip(DATA / "yard.mp4", film, 60 * MINUTES)
    clip = write_clip(folder / "live.mp4", LIVE_FPS * LONGEST_S, rate=LIVE_FPS)
    live = [
        {"id": name, "url": str(clip), "mode": "live", "partition": number}
        for number, name in enumerate(LIVE, PARTITION + 1)
    ]
    file = {"id": "film", "url": str(film), "mode": "archive", "fps": OFFERED_FPS}
    return [{**file, "partition": PARTITION}, *live]


async def standing(settings: Settings) -> tuple[int, int]:
    """How many records of the film there are, and how many segment has committed.

    In this order, so that their difference is never more than there was at any time.
    """
    options = client_options(settings.transport, settings.kafka)
    group = settings.kafka.prefix + "segment.frames-archive"
    topic = settings.kafka.prefix + "frames-archive"
    reading = open_reader(options)
    async with reading as reader, open_admin(options) as admin:
        end = await reader.end(TopicPartition(topic, PARTITION))
        return end, (await admin.committed(group, topic)).get(PARTITION, 0)


def most_ahead(settings: Settings, records: int) -> int:
    """The most records of the film that lay ahead of segment until it had done all of them."""
    most = 0

    def is_done() -> bool:
        nonlocal most
        end, committed = asyncio.run(standing(settings))
        most = max(most, end - committed)
        return committed == records

    wait_until(is_done, "the film is segmented", LONGEST_S, pause_s=0.2)
    return most


def assert_film_is_whole(deployed: Deployment, frames: int) -> None:
    """And of live cameras nothing is missing, and next to nothing was too late."""
    film, *live = sorted(deployed.wait_closed().audit.epochs, key=lambda each: each.mode or "")
    assert (film.offered, film.results, film.gaps.total()) == (frames, frames, 0)
    assert film.complete
    assert film.duplicates == film.out_of_order == 0
    assert [each.camera for each in live] == sorted(LIVE)
    for each in live:
        assert each.complete
        assert each.results >= 0.99 * each.offered, each.gaps


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_S + 100)
def test_a_file_waits_for_the_segmenter_and_live_cameras_do_not(tmp_path: Path, kafka: str) -> None:
    frames = frames_kept(60 * MINUTES * FILM_FPS, FILM_FPS, OFFERED_FPS)
    with deployment(tmp_path, kafka, cameras=cameras(tmp_path), zones=[], rules=[]) as deployed:
        settings = load(deployed.config, secrets=False)
        deployed.start_sleeping(SLEEP)
        (ingest,) = deployed.start("ingest")
        most = most_ahead(settings, frames + 2)  # with the epoch's opening and close
        assert ingest.stop() == 0
        assert_film_is_whole(deployed, frames)
        live = [each for each in asyncio.run(published(settings)) if each.result.camera in LIVE]
    assert 0.9 * MOST_FRAMES < most <= MOST_FRAMES
    assert age_s(live, 0.99) <= settings.freshness.max_age
