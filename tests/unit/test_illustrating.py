"""Alerts and their pictures in the loop of notify, in virtual time."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec import structs

from stream import codec
from stream.errors import (
    DeliveryError,
    DrainTimeoutError,
    EvidenceError,
    EvidenceGoneError,
)
from stream.evidence import CLIPS, Clip
from stream.notify import Illustrator
from stream.types import Alert, AlertState
from tests.unit.test_notify import START_US, Endpoint, Run, alert, in_virtual_time, seconds

LATER_S = 7.0
CLIP = "file:///out/clip.mp4"


@dataclass
class Pictures:
    """Gives a link after so many seconds, or an error."""

    after_s: float = 0.0
    error: Exception | None = None
    asked: bool = False
    """Whether rules ask for clips."""
    made: list[str] = field(default_factory=list)

    async def snapshot(self, alert: Alert) -> str:
        self.made.append(f"{alert.id} {alert.state}")
        await asyncio.sleep(self.after_s)
        if self.error is not None:
            raise self.error
        return f"file:///out/{alert.id}.jpg"

    def clip(self, _: Alert) -> Clip | None:
        return Clip(CLIP, START_US + round(LATER_S * 1e6)) if self.asked else None


@dataclass
class Ops:
    """An endpoint that keeps what it is told, and when."""

    told: list[tuple[float, Alert]] = field(default_factory=list)

    async def deliver(self, alert: Alert) -> str:
        self.told.append((seconds(), alert))
        return "200 OK"

    @property
    def links(self) -> list[tuple[float, str | None, str | None]]:
        return [(at_s, each.snapshot, each.clip) for at_s, each in self.told]


def running(ops: Ops, pictures: Illustrator, clips: Endpoint | None = None) -> Run:
    return Run({"ops": ops, CLIPS: clips or Endpoint()}, illustrator=pictures)


def outcomes(run: Run) -> dict[str, float]:
    samples = next(iter(run.metrics.snapshots.collect())).samples
    counts = [each for each in samples if "_total" in each.name and each.value]
    return {each.labels["outcome"]: each.value for each in counts}


@in_virtual_time
async def test_an_alert_is_told_with_the_link_to_its_picture() -> None:
    ops = Ops()
    run = running(ops, Pictures())

    await run.of(alert())

    assert ops.links == [(0, "file:///out/a1.jpg", None)]
    assert outcomes(run) == {"stored": 1}


@in_virtual_time
async def test_what_is_pending_carries_the_links_so_that_a_repeat_has_them() -> None:
    run = running(Ops(), Pictures(asked=True))

    await run.of(alert())

    pending = [each.snapshot for each in await run.statuses() if each.state == "pending"]
    assert [each and (each.snapshot, each.clip) for each in pending] == [
        ("file:///out/a1.jpg", CLIP)
    ] * 2


@in_virtual_time
async def test_a_notify_that_takes_over_makes_no_picture_again() -> None:
    first = running(Ops(), Pictures(), Endpoint())
    await first.of(alert())
    (pending, _) = await first.statuses()
    ops, pictures = Ops(), Pictures()

    await running(ops, pictures).of(history=[pending])

    assert ops.links == [(0, "file:///out/a1.jpg", None)]
    assert pictures.made == []


@pytest.mark.parametrize(
    ("error", "outcome", "clip"),
    [
        (EvidenceError("evidence.store /out: read-only"), "store", CLIP),
        (EvidenceGoneError("frame hall/1/17 is not kept any more"), "gone", None),
        (RuntimeError("a mistake of ours"), "failed", CLIP),
    ],
)
@in_virtual_time
async def test_an_alert_goes_out_without_a_picture_that_cannot_be_had(
    error: Exception, outcome: str, clip: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    ops = Ops()
    run = running(ops, Pictures(error=error, asked=True))

    await run.of(alert())

    assert ops.links == [(0, None, clip)]
    assert outcomes(run) == {outcome: 1}
    assert "alert a1 goes out without a picture" in caplog.text
    assert str(error) in caplog.text


@in_virtual_time
async def test_many_alerts_wait_together_for_their_pictures_and_two_seconds_at_most() -> None:
    ops = Ops()
    run = running(ops, Pictures(after_s=30.0))

    await run.of(*[alert(f"a{n}") for n in range(50)])

    assert {at_s for at_s, _, _ in ops.links} == {2.0}
    assert len(ops.told) == 50
    assert outcomes(run) == {"late": 50}


@in_virtual_time
async def test_no_picture_is_made_of_what_nobody_is_told_of() -> None:
    pictures = Pictures(asked=True)
    await running(Ops(), pictures).of(alert(notify=()))
    assert pictures.made == []


@in_virtual_time
async def test_an_alert_without_a_frame_has_no_links() -> None:
    ops = Ops()
    await running(ops, Pictures(asked=True)).of(structs.replace(alert(), evidence=None))
    assert ops.links == [(0, None, None)]


@in_virtual_time
async def test_the_clip_is_made_once_for_an_alert_when_it_is_due() -> None:
    states: tuple[AlertState, ...] = ("opened", "updated", "resolved")
    ops, clips = Ops(), Endpoint()

    await running(ops, Pictures(asked=True), clips).of(*[alert(state=each) for each in states])

    assert clips.tries == [(LATER_S, "a1 opened")]
    assert ops.links == [(0, "file:///out/a1.jpg", CLIP)] * 3, "alerts do not wait for it"


@in_virtual_time
async def test_a_clip_is_tried_again_on_the_schedule_of_alerts() -> None:
    clips = Endpoint((DeliveryError("evidence.store s3://out: no route"), "21 frames"))
    run = running(Ops(), Pictures(asked=True), clips)

    await run.of(alert())

    assert clips.times_s == [LATER_S, LATER_S + 1]
    assert await run.states(CLIPS) == ["pending", "pending", "delivered"]


@in_virtual_time
async def test_a_clip_that_is_still_to_be_made_is_made_by_who_comes_next() -> None:
    run = running(Ops(), Pictures(asked=True))
    with pytest.raises(DrainTimeoutError, match=f"1 deliveries left after 3 s: {CLIPS} 1"):
        await run.of(alert(), drain_s=3.0)
    clips, pictures = Endpoint(), Pictures(asked=True)

    await running(Ops(), pictures, clips).of(history=await run.statuses())

    assert clips.changes == ["a1 opened"]
    assert clips.times_s == [LATER_S], "and not sooner"
    assert pictures.made == []


@in_virtual_time
async def test_where_no_evidence_is_stored_alerts_are_as_they_came() -> None:
    ops = Ops()
    await Run({"ops": ops}).of(alert())
    (_, told) = ops.told[0]
    assert codec.encode(told).value == codec.encode(alert()).value
