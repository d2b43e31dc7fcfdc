"""The chart's StatefulSets, scaled by KEDA on the lag of real groups on a real broker."""

import shutil
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest

from stream import codec
from stream.ports import Record
from stream.types import Encoded
from tests.cluster.site import SLEEP, Site, site
from tests.support.build import frame, opened, picture
from tests.support.cluster.plane import Plane
from tests.support.cluster.timeline import Timeline, draw, watched, write
from tests.support.encoded import jpeg
from tests.support.roles import DATA, ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

OUT = ROOT / "out" / "cluster"
MAX_AGE_S = 30
"""Long enough that what waits is still worth a look when the autoscaler looks next."""
MOST = 4
WAITING = 100
"""Records that wait, for each pod of watch and of the archive's segment."""
BURST = 800
"""Frames at once: 3.6 times the lag that is one pod's by promise 5, 0.75 × 30 s × 10 frames/s."""
CAMERAS = 8
ARCHIVE = "segment-archive"
DOWN = "as few as before"


@pytest.fixture(scope="module")
def behind(plane: Plane, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scaling = {"maxReplicas": MOST}
    sections: dict[str, Any] = {
        "config": {"freshness": {"max_age": MAX_AGE_S}},
        "segment": {"scaling": {**scaling, "capacity": round(SLEEP.capacity_per_s)}},
        "segmentArchive": {"enabled": True, "scaling": {**scaling, "lag": WAITING}},
        "watch": {"scaling": {**scaling, "lag": WAITING}},
    }
    folder = tmp_path_factory.mktemp("behind")
    with site(plane, kafka, folder, "behind", **sections) as running:
        yield running


@pytest.fixture(scope="module")
def drawn() -> Iterator[list[Timeline]]:
    """What was seen of all tests here, in one picture."""
    timelines: list[Timeline] = []
    yield timelines
    if timelines:
        draw(ROOT / "out" / "cluster.png", timelines)


def _burst() -> Iterable[Record]:
    """Fresh frames of cameras that nobody knew before, all at once."""
    image, now_us = Encoded(jpeg(picture())), time.time_ns() // 1000
    names = [f"burst-{number}" for number in range(CAMERAS)]
    for name in names:
        yield codec.encode(opened(name, mode="live"))
    for seq in range(BURST // CAMERAS):
        for name in names:
            yield codec.encode_frame(frame(seq, name, mode="live", time_us=now_us, image=image))


def test_segment_and_watch_scale_on_what_waits_for_them(
    behind: Site, drawn: list[Timeline]
) -> None:
    """Nobody reads ``masks`` at first, so that what segment answers waits for watch."""
    release, deployed = behind.release, behind.deployed
    frames = partial(deployed.lag, "segment", "frames")
    masks = partial(deployed.lag, "watch", "masks")
    with (
        watched(release, "segment on frames", "segment", frames) as segment,
        watched(release, "watch on masks", "watch", masks) as watch,
    ):
        drawn += [segment, watch]
        segment.wait("one pod", lambda each: each.scale.ready == 1)
        deployed.write("frames", _burst())
        began_s = segment.step(f"{BURST} frames more on the topic")
        segment.wait("all that may be", lambda each: each.scale.ready == MOST)
        watch.wait("all that may be", lambda each: each.scale.ready == MOST)
        segment.wait("all is answered", lambda each: each.lag < WAITING)
        segment.wait(DOWN, lambda each: each.scale.ready == each.scale.asked == 1)
        deployed.start("watch")
        watch.step("watch reads")
        watch.wait(DOWN, lambda each: each.scale.ready == each.scale.asked == 1)
    write(OUT, segment, burst_at_s=began_s)
    write(OUT, watch)
    assert segment.most == watch.most == MOST


def test_files_scale_their_own_group_and_not_that_of_live_cameras(
    behind: Site, drawn: list[Timeline]
) -> None:
    """Nobody segments files here: 512 frames of a file wait, as ingest then waits as well."""
    release, deployed = behind.release, behind.deployed
    path = shutil.copy(DATA / "yard.mp4", behind.clip.with_name("film.mp4"))
    film = {"id": "film", "url": str(path), "mode": "archive", "fps": 8}
    lags = [partial(deployed.lag, "segment", topic) for topic in ("frames", "frames-archive")]
    with (
        watched(release, "segment on frames, meanwhile", "segment", lags[0]) as live,
        watched(release, "segment-archive on frames-archive", ARCHIVE, lags[1]) as archive,
    ):
        drawn.append(archive)
        archive.wait("no pod", lambda each: each.scale.asked == 0)
        behind.offer(1, film)
        archive.step("a file is there")
        archive.wait("all that may be", lambda each: each.scale.ready == MOST)
        deployed.start("segment --mode archive")
        archive.step("a segment of files reads")
        archive.wait(DOWN, lambda each: each.scale.asked == each.scale.there == 0)
    write(OUT, archive)
    assert archive.most == MOST
    assert live.most == 1
