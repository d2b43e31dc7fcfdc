"""The loop of `compare`, on a real transport."""

from collections.abc import Sequence

import pytest

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from stream import codec
from stream.codec import Message
from stream.compare import Compare
from stream.declared import SHADOW
from stream.errors import UnsupportedVersionError
from stream.metrics import Metrics
from stream.ports import Record
from stream.registry import Listed
from stream.specs import CameraSpec
from tests.support.build import closed, gap, instance, opened, result
from tests.support.topics import roomy

CAMERAS = Listed(
    [
        CameraSpec(id="hall", url="rtsp://hall/1"),
        CameraSpec(id="film", url="film.mp4", mode="archive"),
    ]
)
LEFT, RIGHT = (0, 0, 16, 16), (32, 16, 48, 32)

Sent = Record | Message


async def compared(
    model: Sequence[Sent], shadow: Sequence[Sent], transport: MemoryTransport | None = None
) -> Metrics:
    """What is told of what both say."""
    transport, metrics = transport or roomy(), Metrics(SHADOW)
    sent = {"masks": model, "masks.next": shadow}
    for topic, each in sent.items():
        async with transport.outbox(topic) as outbox:
            for one in each:
                await outbox.send(topic, one if isinstance(one, Record) else codec.encode(one))
    loop = Compare(CAMERAS, 1_000_000, SteadyClock(), metrics)
    async with (
        transport.inbox("masks", "compare") as first,
        transport.inbox("masks.next", "compare") as second,
    ):
        await loop.run({"model": first, "shadow": second})
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(f"{SHADOW}{name}", labels)
    return found or 0.0


async def test_frames_that_both_have_are_compared_instance_by_instance() -> None:
    ours = [result(0, "hall", instance(LEFT), instance(RIGHT)), result(1, "hall")]
    theirs = [
        result(0, "hall", instance(LEFT, score=0.5), instance(RIGHT, "box")),
        result(1, "hall", instance(LEFT)),
    ]
    both: tuple[list[Sent], list[Sent]] = ([opened(), *ours], [opened(), *theirs, closed(2)])
    metrics = await compared(*both)
    assert value(metrics, "compared_frames_total", camera="hall") == 2
    for outcome, count in {"matched": 1, "new": 2, "lost": 1}.items():
        told = value(metrics, "compared_instances_total", camera="hall", outcome=outcome)
        assert told == count
    assert value(metrics, "compared_labels_total", label="box", outcome="new") == 1
    assert value(metrics, "compared_labels_total", label="person", outcome="lost") == 1
    assert value(metrics, "compared_iou_ratio_sum", label="person") == 1
    assert value(metrics, "compared_scores_total", camera="hall", side="model") == 0.75
    assert value(metrics, "compared_scores_total", camera="hall", side="shadow") == 0.5


async def test_frames_of_one_alone_are_told_with_the_reason() -> None:
    ours: list[Sent] = [result(0), result(1), gap(2, 3, "dead_letter"), result(4)]
    theirs: list[Sent] = [result(0), gap(1, 1, "stale"), result(2), gap(3, 3), result(4)]
    metrics = await compared(ours, theirs)
    assert value(metrics, "compared_frames_total", camera="hall") == 2
    labels = {"camera": "hall", "side": "model", "reason": "stale"}
    assert value(metrics, "unpaired_frames_total", **labels) == 1
    labels = {"camera": "hall", "side": "shadow", "reason": "dead_letter"}
    assert value(metrics, "unpaired_frames_total", **labels) == 1


async def test_files_are_not_compared_as_no_shadow_looks_at_them() -> None:
    metrics = await compared([result(0, "film"), result(0)], [result(0), result(0, "film")])
    assert value(metrics, "compared_frames_total", camera="hall") == 1
    assert value(metrics, "compared_frames_total", camera="film") == 0


async def test_a_record_that_cannot_be_read_is_counted_and_passed_over() -> None:
    good = codec.encode(result(0))
    torn = Record("hall", good.value[:-9], good.headers)
    followed = Record("hall", bytes(codec.encode(result(1)).value)[:-1] + b" ]",
                      good.headers)  # fmt: skip
    metrics = await compared([torn, followed, result(2)], [result(2)])
    assert value(metrics, "compared_frames_total", camera="hall") == 1
    assert value(metrics, "dead_letters_total", topic="masks", reason="schema_error") == 2


async def test_a_writer_that_is_newer_stops_it() -> None:
    good = codec.encode(result(0))
    newer = Record("hall", good.value, {**good.headers, "ce_type": b"maskstream.result.v99"})
    with pytest.raises(BaseExceptionGroup) as errors:
        await compared([newer], [])
    assert errors.group_contains(UnsupportedVersionError)


async def test_what_is_told_of_a_camera_that_is_gone_is_forgotten() -> None:
    metrics = await compared([result(0)], [result(0)])
    metrics.forget_compared("hall")
    assert value(metrics, "compared_frames_total", camera="hall") == 0
