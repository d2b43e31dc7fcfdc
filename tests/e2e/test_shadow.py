"""A second model on the same camera, on a real broker: how it agrees, and that nobody notices."""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors import open_transport
from stream import codec
from stream.config import load
from stream.types import Result
from tests.support.roles import DATA, MODEL, Deployment, deployment
from tests.support.waiting import wait_until

CAMERA = {"id": "gate", "url": str(DATA / "yard.mp4"), "mode": "live", "fps": 4}
SURE = 0.7
"""The shadow is the same network, and keeps no instance below this."""
SECTIONS: Mapping[str, Any] = {
    "cameras": [CAMERA], "zones": [], "rules": [],
    "shadow": {**MODEL, "name": "next", "confidence": SURE},
    "freshness": {"max_age": "5m"},  # on a busy machine every live frame could be too old
}  # fmt: skip
COMPARED = 20


def results(deployed: Deployment, topic: str) -> dict[str, Result]:
    """What a topic of masks holds, by frame."""

    async def read() -> dict[str, Result]:
        transport = open_transport(load(deployed.config, secrets=False))
        messages = [codec.decode(each) async for each in transport.whole(topic)]
        return {str(each.id): each for each in messages if isinstance(each, Result)}

    return asyncio.run(read())


@pytest.mark.slow
def test_a_surer_shadow_finds_a_part_of_the_same_and_the_first_model_stays_as_it_is(
    tmp_path: Path, kafka: str
) -> None:
    with deployment(tmp_path, kafka, **SECTIONS) as deployed:
        live, shadow, compare = deployed.start("segment --mode live", "segment --shadow", "compare")
        (ingest,) = deployed.start("ingest")

        def compared() -> float:
            return compare.metric("shadow_compared_frames_total", camera="gate")

        wait_until(lambda: compared() >= COMPARED, "frames are compared")
        assert ingest.stop() == 0
        for topic in ("masks", "masks.next"):
            wait_until(partial(is_closed, deployed, topic), f"{topic} is whole")
        assert_told(compare.get("/metrics"), compared())
        assert not re.search("^maskstream_(?!shadow_)", shadow.get("/metrics"), re.MULTILINE)
        assert shadow.metric("shadow_results_total", camera="gate") >= COMPARED
        assert live.metric("results_total", camera="gate") >= COMPARED
        assert_the_surer_part(results(deployed, "masks"), results(deployed, "masks.next"))
        assert [each.stop() for each in (compare, shadow, live)] == [0, 0, 0]
        assert sum(deployed.committed("shadow.next", "frames").values()) > COMPARED
        assert sum(deployed.committed("compare.next", "masks.next").values()) > COMPARED


def is_closed(deployed: Deployment, topic: str) -> bool:
    """Whether the audit of a topic finds each frame answered, and its epoch closed."""
    more = [] if topic == "masks" else ["--shadow"]
    told = deployed.tried("audit", more=more)
    return told.returncode == 0 and "unclosed" not in told.stdout


def assert_told(text: str, frames: float) -> None:
    told = {
        name: sum(map(float, re.findall(rf"^maskstream_shadow_{name} (\S+)$", text, re.MULTILINE)))
        for name in (
            r"compared_instances_total{camera=\"gate\",outcome=\"matched\"}",
            r"compared_instances_total{camera=\"gate\",outcome=\"new\"}",
            r"compared_instances_total{camera=\"gate\",outcome=\"lost\"}",
            r"compared_iou_ratio_sum{label=\"\w+\"}",
            r"compared_scores_total{camera=\"gate\",side=\"model\"}",
            r"compared_scores_total{camera=\"gate\",side=\"shadow\"}",
        )
    }
    matched, new, lost, ious, model, shadow = told.values()
    assert matched > frames / 10, "somebody is in the yard"
    assert lost > 0, "not all are sure"
    assert new == 0
    assert ious == pytest.approx(matched), "the same network gives the same masks"
    assert shadow == pytest.approx(model)


def assert_the_surer_part(first: Mapping[str, Result], shadow: Mapping[str, Result]) -> None:
    assert first.keys() == shadow.keys()
    for frame, result in first.items():
        sure = [each for each in result.instances if each.score >= SURE]
        assert [*shadow[frame].instances] == sure
