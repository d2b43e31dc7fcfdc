"""Records that cannot be handled: each costs itself, and neighbours notice nothing."""

import asyncio
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import open_transport
from stream import codec
from stream.config import load
from stream.ports import Record
from tests.faults.verdict import FRAMES, wait_for_results
from tests.support.build import closed, frame, opened, picture
from tests.support.roles import Deployment, deployment
from tests.support.segmenting import JPEG
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
EACH = 5


def poison() -> list[Record]:
    """A camera whose records are bad in every way, with good ones between them."""
    good = JPEG.encode(picture())
    whole = [frame(seq, "evil", image=good) for seq in range(3 * EACH)]
    bad: list[Record] = []
    for seq, each in enumerate(whole):
        record = codec.encode_frame(each)
        if seq % 3 == 0:  # truncated
            record = replace(record, value=bytes(record.value)[:-20])
        elif seq % 3 == 1:  # a header is missing
            headers = {k: v for k, v in record.headers.items() if k != "ce_width"}
            record = replace(record, headers=headers)
        bad.append(record)
    strange = [Record("evil", pickle.dumps({"seq": 1}), {}) for _ in range(EACH)]
    huge = [Record("evil", b"x", {"ce_type": b"y" * 30_000}) for _ in range(EACH)]
    return [
        codec.encode(opened("evil")),
        *bad,
        *strange,
        *huge,
        codec.encode(closed(3 * EACH, "evil")),
    ]


async def write(deployed: Deployment, records: list[Record]) -> None:
    transport = open_transport(load(deployed.config, secrets=False))
    async with transport.outbox("frames-archive") as outbox:
        for record in records:
            await outbox.send("frames-archive", record)
        await outbox.flush()


async def letters(deployed: Deployment) -> Counter[str]:
    transport = open_transport(load(deployed.config, secrets=False))
    return Counter(
        [
            each.headers["dead_letter_reason"].decode()
            async for each in transport.whole("dead-letters")
        ]
    )


def test_dead_letters_are_what_was_injected_and_neighbours_are_whole(
    tmp_path: Path, kafka: str
) -> None:
    with deployment(tmp_path, kafka) as deployed:
        deployed.start("segment", "watch", "ingest")
        wait_for_results(deployed, 20)
        asyncio.run(write(deployed, poison()))
        wait_until(lambda: deployed.seen().is_closed, "both cameras are closed", 90.0, pause_s=1.0)
        seen = deployed.seen()
        yard = next(each for each in seen.audit.epochs if each.camera == "yard")
        evil = next(each for each in seen.audit.epochs if each.camera == "evil")
        assert (yard.results, yard.missing, yard.complete) == (FRAMES, 0, True)
        assert (evil.offered, evil.results, evil.missing) == (3 * EACH, EACH, 0)
        assert dict(evil.gaps) == {"dead_letter": 2 * EACH}
        assert asyncio.run(letters(deployed)) == {"decode_error": EACH, "schema_error": 3 * EACH}
