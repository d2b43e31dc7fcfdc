"""Records that cannot be handled: each costs itself, and neighbours notice nothing, not even those
that share its partition.
"""

import asyncio
import pickle
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import open_transport
from stream import codec
from stream.audit import EpochAudit
from stream.config import load
from stream.ports import Record
from stream.types import Mode
from tests.faults.verdict import FRAMES, wait_for_results
from tests.support.build import closed, frame, opened, picture
from tests.support.clips import write_clip
from tests.support.roles import DATA, Deployment, deployment
from tests.support.segmenting import JPEG

pytestmark = pytest.mark.slow
EACH: dict[Mode, int] = {"archive": 5, "live": 2}
"""How often each kind of poison comes. Ten in a minute would put a live camera in quarantine."""
BAD: dict[Mode, str] = {"archive": "bad-file", "live": "bad-camera"}
TOPIC: dict[Mode, str] = {"archive": "frames-archive", "live": "frames"}
PARTITION: dict[Mode, int] = {"archive": 3, "live": 5}
LIVE_FPS, LIVE_FRAMES = 5, 150
GOOD = {"yard": FRAMES, "hall": LIVE_FRAMES}


def cameras(folder: Path) -> list[dict[str, Any]]:
    """A file and a live camera, each with a bad neighbour in its partition."""
    file = {"id": "yard", "url": str(DATA / "yard.mp4"), "mode": "archive", "fps": 4}
    clip = write_clip(folder / "hall.mp4", LIVE_FRAMES, rate=LIVE_FPS)
    live = {"id": "hall", "url": str(clip), "mode": "live"}
    good: list[tuple[Mode, dict[str, Any]]] = [("archive", file), ("live", live)]
    return [
        {**camera, "id": name, "partition": PARTITION[mode]}
        for mode, camera in good
        for name in (camera["id"], BAD[mode])
    ]


def poison(mode: Mode) -> list[Record]:
    """A camera whose records are bad in every way, with as many good ones between them."""
    camera, each = BAD[mode], EACH[mode]
    good, now_us = JPEG.encode(picture()), time.time_ns() // 1000
    records: list[Record] = []
    for seq in range(3 * each):
        one = frame(seq, camera, mode=mode, time_us=now_us, image=good)
        record = codec.encode_frame(one)
        if seq % 3 == 0:  # truncated
            record = replace(record, value=bytes(record.value)[:-20])
        elif seq % 3 == 1:  # a header is missing
            headers = {k: v for k, v in record.headers.items() if k != "ce_width"}
            record = replace(record, headers=headers)
        records.append(record)
    strange = [Record(camera, pickle.dumps({"seq": 1}), {}) for _ in range(each)]
    huge = [Record(camera, b"x", {"ce_type": b"y" * 30_000}) for _ in range(each)]
    begin, end = opened(camera, mode=mode), closed(3 * each, camera)
    return [codec.encode(begin), *records, *strange, *huge, codec.encode(end)]


async def letters(deployed: Deployment) -> Counter[tuple[str, str]]:
    """The dead letters by the partition that they were in, and why."""
    transport = open_transport(load(deployed.config, secrets=False))
    found: Counter[tuple[str, str]] = Counter()
    async for each in transport.whole("dead-letters"):
        place = each.headers["dead_letter_ref"].decode().partition("@")[0]
        found[place, each.headers["dead_letter_reason"].decode()] += 1
    return found


def assert_bad_camera_is_told(epoch: EpochAudit, each: int) -> None:
    assert (epoch.offered, epoch.results, epoch.missing) == (3 * each, each, 0)
    assert dict(epoch.gaps) == {"dead_letter": 2 * each}


@pytest.mark.long
def test_dead_letters_are_what_was_injected_and_neighbours_are_whole(
    tmp_path: Path, kafka: str
) -> None:
    patience = {"max_age": "30s"}  # what may be lost here is lost to poison alone
    with deployment(tmp_path, kafka, cameras=cameras(tmp_path), freshness=patience) as deployed:
        deployed.start("segment", "watch")
        deployed.start_ingest_of(*GOOD)
        wait_for_results(deployed, 20)
        for mode, topic in TOPIC.items():
            deployed.write(topic, poison(mode))
        assert not any(each.closed for each in deployed.seen().audit.epochs if each.camera in GOOD)
        seen = deployed.wait_closed()
    found = {each.camera: each for each in seen.audit.epochs}
    assert found.keys() == {*GOOD, *BAD.values()}
    for name, frames in GOOD.items():
        epoch = found[name]
        assert (epoch.offered, epoch.results, epoch.complete) == (frames, frames, True)
        assert epoch.duplicates == epoch.out_of_order == 0
    for mode, name in BAD.items():
        assert_bad_camera_is_told(found[name], EACH[mode])
    places = {f"{topic}/{PARTITION[mode]}": EACH[mode] for mode, topic in TOPIC.items()}
    assert asyncio.run(letters(deployed)) == {
        **{(place, "decode_error"): each for place, each in places.items()},
        **{(place, "schema_error"): 3 * each for place, each in places.items()},
    }
