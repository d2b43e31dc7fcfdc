"""Evidence in a folder: what is stored, linked, retried and deleted."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import av
import pytest
import simplejpeg
from msgspec import structs

from connectors.clock import SteadyClock
from connectors.evidence import Artist, Clips, EvidenceStore, Illustrator, keep_purging
from connectors.jpeg import JpegCodec
from stream.cli.evidence import Wanted, purge
from stream.errors import (
    ConfigError,
    DecodeError,
    DeliveryError,
    DeliveryRefusedError,
    EvidenceError,
    EvidenceGoneError,
)
from stream.evidence import Kept
from stream.evidence_spec import EvidenceSpec
from stream.ports import Clock
from stream.rule_spec import ClipSpec
from stream.rulebook import Rulebook
from stream.rules import Presence
from stream.types import Encoded, Evidence, Frame, Joined, Mode
from tests.support.clock import START_US, VirtualClock
from tests.support.kept import KeptFrames, whole
from tests.support.scene import GATE, alert, joined, ring
from tests.support.waiting import eventually

STEP_US = 100_000
RULE = Presence(
    id="keep-out", kind="presence", zone="gate", frames=3, clip=ClipSpec(before=1.0, after=1.0)
)
RULEBOOK = Rulebook([RULE], [GATE])
DAY = "2023-11-14"
ARTIST = Artist(RULEBOOK, {"person"}, whole, JpegCodec(80, 1_000_000, 1_000_000).decode)


def frames(first: int, count: int) -> list[Joined]:
    """Ten a second; an alert opens at frame 20, which is at `START_US`."""
    return [at(joined(seq, "hall", ring()), seq) for seq in range(first, first + count)]


def at(found: Joined, seq: int) -> Joined:
    old = found.frame
    time_us = START_US + (seq - 20) * STEP_US
    frame = Frame(old.id, old.mode, old.size, time_us, time_us, old.picture)
    return Joined(frame, found.result, found.tracks)


def gap(found: Joined) -> Joined:
    return Joined(found.frame, None, None)


TOLD = structs.replace(alert(), evidence=Evidence(1, 20, mask=ring()), notify=("ops",))


def spec(folder: Path, **fields: object) -> EvidenceSpec:
    return EvidenceSpec.model_validate({"store": str(folder), **fields})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EvidenceStore]:
    async with EvidenceStore(spec(tmp_path / "out"), {}) as opened:
        yield opened


def illustrator(
    store: EvidenceStore, kept: KeptFrames, mode: Callable[[str], Mode] = lambda _: "live"
) -> Illustrator:
    return Illustrator(kept, store, ARTIST, RULEBOOK, mode)


def clips(store: EvidenceStore, kept: KeptFrames, clock: Clock | None = None) -> Clips:
    return Clips(kept, store, ARTIST, RULEBOOK, clock or VirtualClock(START_US + 3_000_000))


def shown(path: Path) -> list[float]:
    """When each frame of a video is shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(each.time) for each in container.decode(video=0) if each.time is not None]


def stored(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in stored(folder)}


async def test_a_snapshot_is_a_jpeg_of_the_frame_under_the_name_of_its_alert(
    tmp_path: Path, store: EvidenceStore
) -> None:
    link = await illustrator(store, KeptFrames(frames(0, 40))).snapshot(TOLD)

    path = tmp_path / "out/hall" / DAY / "hall-1/1-20.jpg"
    assert link == path.as_uri()
    assert simplejpeg.decode_jpeg(path.read_bytes()).shape == (120, 160, 3)
    assert stored(tmp_path) == [f"out/hall/{DAY}/hall-1/1-20.jpg"], "nothing else is left"


async def test_receivers_are_told_the_link_that_they_reach_the_store_by(tmp_path: Path) -> None:
    told = spec(tmp_path, link="https://evidence.example.com/cams/")
    async with EvidenceStore(told, {}) as store:
        link = await illustrator(store, KeptFrames(frames(20, 1))).snapshot(TOLD)
    assert link == f"https://evidence.example.com/cams/hall/{DAY}/hall-1/1-20.jpg"


async def test_a_repeat_gives_the_same_link_and_file(tmp_path: Path, store: EvidenceStore) -> None:
    making = illustrator(store, KeptFrames(frames(20, 1)))
    first = await making.snapshot(TOLD)
    before = contents(tmp_path)

    assert await making.snapshot(TOLD) == first
    assert contents(tmp_path) == before
    assert len(before) == 1


async def test_a_picture_that_was_stored_outlives_its_frame(store: EvidenceStore) -> None:
    link = await illustrator(store, KeptFrames(frames(20, 1))).snapshot(TOLD)
    assert await illustrator(store, KeptFrames()).snapshot(TOLD) == link


async def test_without_its_frame_there_is_no_snapshot(tmp_path: Path, store: EvidenceStore) -> None:
    with pytest.raises(EvidenceGoneError, match="frame hall/1/20 is not kept any more"):
        await illustrator(store, KeptFrames(frames(30, 5))).snapshot(TOLD)
    assert stored(tmp_path) == []


async def test_a_frame_that_is_no_picture_gives_no_snapshot(store: EvidenceStore) -> None:
    (broken,) = frames(20, 1)
    frame = Frame(broken.frame.id, "live", (120, 160), START_US, START_US, Encoded(b"no jpeg"))
    with pytest.raises(DecodeError):
        await illustrator(store, KeptFrames([Joined(frame, None, None)])).snapshot(TOLD)


def closed(folder: Path) -> Path:
    """A folder in which nobody can write: it is a file."""
    folder.write_text("not a folder")
    return folder


async def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    async with EvidenceStore(spec(closed(tmp_path / "out")), {}) as store:
        with pytest.raises(EvidenceError, match=r"evidence.store .*/out: "):
            await illustrator(store, KeptFrames(frames(20, 1))).snapshot(TOLD)


async def test_what_is_open_can_be_read_in_pieces_and_stays_what_it_was(
    store: EvidenceStore,
) -> None:
    await store.put("hall/a.jpg", b"0123456789")
    async with store.opened("hall/a.jpg") as found:
        assert found is not None
        assert (found.size, await found.read(4, 7)) == (10, b"456")
        await store.put("hall/a.jpg", b"another")
        assert await found.read(0, 10) == b"0123456789"
        with pytest.raises(EvidenceError, match="ends after 10 of 10 bytes"):
            await found.read(8, 11)


async def test_where_nothing_is_there_is_nothing_to_read(store: EvidenceStore) -> None:
    async with store.opened("hall/a.jpg") as found:
        assert found is None


async def test_the_clip_of_a_live_camera_is_due_after_its_last_frame(store: EvidenceStore) -> None:
    due = illustrator(store, KeptFrames()).clip(TOLD)
    assert due is not None
    assert due.link.endswith(f"/hall/{DAY}/hall-1/clip.mp4")
    assert due.due_us == START_US + 3_000_000


async def test_the_clip_of_a_file_is_due_at_once(store: EvidenceStore) -> None:
    due = illustrator(store, KeptFrames(), lambda _: "archive").clip(TOLD)
    assert due is not None
    assert due.due_us == 0


async def test_a_rule_that_asks_for_no_clip_gets_none(store: EvidenceStore) -> None:
    other = structs.replace(TOLD, rule="other")
    assert illustrator(store, KeptFrames()).clip(other) is None
    with pytest.raises(DeliveryRefusedError, match="rule other asks for no clip"):
        await clips(store, KeptFrames(frames(0, 40))).deliver(other)


async def test_a_clip_shows_what_was_before_and_after(tmp_path: Path, store: EvidenceStore) -> None:
    answer = await clips(store, KeptFrames(frames(0, 60))).deliver(TOLD)

    path = tmp_path / "out/hall" / DAY / "hall-1/clip.mp4"
    assert shown(path) == pytest.approx([n / 10 for n in range(21)], abs=0.001)
    assert answer == "21 frames"
    assert len(stored(tmp_path)) == 1


async def test_a_clip_plays_while_it_is_fetched(tmp_path: Path, store: EvidenceStore) -> None:
    await clips(store, KeptFrames(frames(0, 60))).deliver(TOLD)
    film = (tmp_path / "out/hall" / DAY / "hall-1/clip.mp4").read_bytes()
    assert film.index(b"moov") < film.index(b"mdat")


async def test_frames_that_are_still_to_come_are_waited_for(
    tmp_path: Path, store: EvidenceStore
) -> None:
    kept = KeptFrames(frames(15, 8), coming=[frames(23, 3), [], frames(26, 10)])
    await clips(store, kept).deliver(TOLD)
    assert len(shown(tmp_path / "out/hall" / DAY / "hall-1/clip.mp4")) == 16


async def test_a_frame_whose_result_is_still_to_come_is_waited_for_and_a_gap_is_not(
    tmp_path: Path, store: EvidenceStore
) -> None:
    film = frames(15, 16)
    film[3] = gap(film[3])
    kept = KeptFrames([*film[:12], *map(gap, film[12:])])

    class Later(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            kept.frames = film
            await super().sleep(seconds)

    answer = await clips(store, kept, Later()).deliver(TOLD)

    assert answer == "16 frames"
    assert len(shown(tmp_path / "out/hall" / DAY / "hall-1/clip.mp4")) == 16


async def test_where_the_camera_ended_the_clip_ends(tmp_path: Path, store: EvidenceStore) -> None:
    film = frames(10, 14)
    film[-2:] = map(gap, film[-2:])
    clock = VirtualClock()
    assert await clips(store, KeptFrames(film), clock).deliver(TOLD) == "14 frames"
    assert sum(clock.slept_s) == 3


async def test_frames_that_come_too_slowly_are_waited_for_in_another_try(
    tmp_path: Path, store: EvidenceStore
) -> None:
    class Slow(KeptFrames):
        async def around(self, *args, **more):  # type: ignore[no-untyped-def]
            async for each in super().around(*args, **more):
                yield each
            clock.advance(1.5)

    clock = VirtualClock()
    kept = Slow(frames(10, 12), coming=[frames(n, 1) for n in range(22, 30)])
    with pytest.raises(DeliveryError, match="not there yet") as error:
        await clips(store, kept, clock).deliver(TOLD)
    assert error.value.retriable
    assert stored(tmp_path) == []


async def test_a_clip_whose_frames_are_gone_will_never_come(store: EvidenceStore) -> None:
    with pytest.raises(DeliveryRefusedError, match="not kept any more"):
        await clips(store, KeptFrames()).deliver(TOLD)


async def test_a_clip_that_is_there_is_not_made_again(store: EvidenceStore) -> None:
    await clips(store, KeptFrames(frames(0, 60))).deliver(TOLD)
    assert await clips(store, KeptFrames()).deliver(TOLD) == "is there"


async def test_a_clip_is_tried_again_when_the_store_does_not_take_it(tmp_path: Path) -> None:
    async with EvidenceStore(spec(closed(tmp_path / "out")), {}) as store:
        with pytest.raises(DeliveryError, match=r"evidence\.store") as error:
            await clips(store, KeptFrames(frames(0, 60))).deliver(TOLD)
    assert error.value.retriable


def keep(folder: Path, name: str, age_days: float) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(1000))
    stored_s = SteadyClock().now_us() / 1e6 - age_days * 86_400
    os.utime(path, (stored_s, stored_s))
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    keep(tmp_path, "out/hall/2026-01-01/a1/1-5.jpg", 40)
    keep(tmp_path, "out/hall/2026-01-01/a1/clip.mp4", 8)
    keep(tmp_path, "out/hall/2026-01-02/a2/1-9.jpg", 8)
    keep(tmp_path, "out/yard/2026-01-02/a3/1-9.jpg", 1)
    keep(tmp_path, "out/notes.txt", 99)
    path = tmp_path / "c.yaml"
    path.write_text(
        "model: {weights: yolo.pt}\ncameras: [{id: hall, url: a.mp4}]\n"
        "evidence: {store: out, keep: 30d}\n"
    )
    return path


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        (Wanted(), ["hall/2026-01-01/a1/1-5.jpg"]),
        (Wanted(older_than="90d"), []),
        (
            Wanted(older_than="7d"),
            [
                "hall/2026-01-01/a1/1-5.jpg",
                "hall/2026-01-01/a1/clip.mp4",
                "hall/2026-01-02/a2/1-9.jpg",
            ],
        ),
        (Wanted(camera="yard"), ["yard/2026-01-02/a3/1-9.jpg"]),
        (Wanted(alert="a1"), ["hall/2026-01-01/a1/1-5.jpg", "hall/2026-01-01/a1/clip.mp4"]),
        (Wanted(older_than="30d", alert="a2"), []),
    ],
)
def test_purge_deletes_what_was_asked_and_says_what(
    wanted: Wanted, gone: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = config.parent / "out"
    before = stored(folder)

    purge(config, wanted, dry_run=True)
    assert stored(folder) == before
    assert capsys.readouterr().out.splitlines() == gone

    purge(config, wanted, dry_run=False)
    assert sorted(set(before) - set(stored(folder))) == gone
    told = capsys.readouterr()
    assert told.out.splitlines() == gone
    assert told.err == f"{len(gone)} files, 0.0 MB, deleted from {folder}\n"


@pytest.mark.parametrize("wanted", [Wanted(camera="hal"), Wanted(alert="zzzz")])
def test_purge_warns_of_a_name_that_nothing_has(
    wanted: Wanted, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    purge(config, wanted, dry_run=False)
    _, told = capsys.readouterr()
    assert f'nothing is there of {"camera" if wanted.camera else "alert"} "' in told
    assert told.splitlines()[-1].startswith("0 files, ")


def test_purge_leaves_no_empty_folder(config: Path) -> None:
    purge(config, Wanted(camera="hall"), dry_run=False)
    assert sorted(each.name for each in (config.parent / "out").iterdir()) == ["notes.txt", "yard"]


@pytest.mark.parametrize("age", ["30 days", "-1", ""])
def test_purge_asks_for_an_age(age: str, config: Path) -> None:
    with pytest.raises(ConfigError, match=r"--older-than: given .*; allowed: a duration"):
        purge(config, Wanted(older_than=age), dry_run=False)


def test_purge_needs_a_store(config: Path) -> None:
    config.write_text(config.read_text().replace("evidence:", "# evidence:"))
    with pytest.raises(ConfigError, match="evidence: missing"):
        purge(config, Wanted(), dry_run=False)


async def test_what_is_older_than_it_is_kept_goes_by_itself_every_hour(tmp_path: Path) -> None:
    old = keep(tmp_path, "hall/2026-01-01/a1/1-5.jpg", 40)
    young = keep(tmp_path, "hall/2026-01-01/a1/1-6.jpg", 29.999)
    clock = HourlyClock()
    async with EvidenceStore(spec(tmp_path), {}) as store:
        purging = asyncio.create_task(keep_purging(store, 30 * 86_400.0, clock))
        await eventually(lambda: not old.exists(), "what is too old is deleted at the start")
        assert young.exists()
        clock.pass_an_hour()
        await eventually(lambda: not young.exists(), "an hour later the other is too old as well")
        purging.cancel()


class HourlyClock(SteadyClock):
    """The wall clock, on which hours pass when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_us = 0
        self._passed = asyncio.Event()

    def now_us(self) -> int:
        return super().now_us() + self._ahead_us

    def pass_an_hour(self) -> None:
        self._ahead_us += 3_600_000_000
        self._passed.set()

    async def sleep(self, seconds: float) -> None:
        assert seconds == 3600
        await self._passed.wait()
        self._passed.clear()


async def test_a_store_that_is_away_ends_no_purging(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(EvidenceStore):
        async def kept(self) -> list[Kept]:
            raise EvidenceError("evidence.store s3://gone: no route")

    clock = VirtualClock()
    async with Away(spec(tmp_path), {}) as store:
        with caplog.at_level(logging.WARNING):
            purging = asyncio.create_task(keep_purging(store, 60.0, clock))
            await eventually(lambda: len(clock.slept_s) > 2, "it is asked again every hour")
            purging.cancel()
    assert "what is too old is still there: evidence.store s3://gone" in caplog.text


def test_a_bucket_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ConfigError, match=r"needs s3fs: pip install maskstream\[s3\]"):
        EvidenceStore(EvidenceSpec(store="s3://our-bucket"), {})
