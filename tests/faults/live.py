"""A live camera beside the film: which of its frames were answered, and when they had arrived."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors import open_transport
from stream import codec
from stream.config import load
from stream.types import Result
from tests.faults.film import RECOVERY_S
from tests.support.clips import loop_clip
from tests.support.roles import DATA, Deployment
from tests.support.waiting import wait_until

GATE = "gate"
FPS = 5
"""A third of the film's."""
PARTITION = 1
LONGEST_S = 900
"""It plays for longer than a test takes, so that it is in one epoch."""


def gate(folder: Path) -> dict[str, Any]:
    """The camera: the film again and again, as pictures of a few bytes fill no producer."""
    clip = folder / f"{GATE}.mp4"
    loop_clip(DATA / "yard.mp4", clip, LONGEST_S)
    return {"id": GATE, "url": str(clip), "mode": "live", "fps": FPS, "partition": PARTITION}


def now_us() -> int:
    return time.time_ns() // 1000


def arrivals_us(deployed: Deployment) -> Mapping[int, int]:
    """When each of its frames that has a result arrived, by the frame's number."""
    return asyncio.run(_arrivals_us(deployed))


async def _arrivals_us(deployed: Deployment) -> Mapping[int, int]:
    transport = open_transport(load(deployed.config, secrets=False))
    messages = [codec.decode(each) async for each in transport.whole("masks")]
    own = (each for each in messages if isinstance(each, Result) and each.camera == GATE)
    return {each.seq: each.arrived_us for each in own}


def wait_back_us(deployed: Deployment) -> int:
    """When the first frame arrived that is answered although it comes only now."""
    since_us = now_us()

    def is_back() -> bool:
        return max(arrivals_us(deployed).values()) >= since_us

    wait_until(is_back, "the live camera is answered again", RECOVERY_S, pause_s=0.5)
    return min(each for each in arrivals_us(deployed).values() if each >= since_us)


def wait_goes_on(deployed: Deployment, seconds: int) -> None:
    """As many more of its frames are answered as come in so many seconds."""
    there = deployed.lengths("masks")[PARTITION]

    def are_there() -> bool:
        return deployed.lengths("masks")[PARTITION] >= there + FPS * seconds

    wait_until(are_there, f"{seconds} s more of the live camera", pause_s=0.5)


def unanswered(
    arrived_us: Mapping[int, int], offered: int, outage_us: tuple[int, int]
) -> tuple[list[float], int]:
    """Of the frames that came before and after an outage: when those came that have no result, in
    seconds after it was over, and how many there are in all. A file played live is never late, so a
    frame's number says when it came.
    """
    first = min(arrived_us)
    began_us, over_us = outage_us
    came_us = {seq: arrived_us[first] + (seq - first) * 1_000_000 // FPS for seq in range(offered)}
    outside = {seq: at_us for seq, at_us in came_us.items() if not began_us <= at_us < over_us}
    lost_s = [(at_us - over_us) / 1e6 for seq, at_us in outside.items() if seq not in arrived_us]
    return lost_s, len(outside)
