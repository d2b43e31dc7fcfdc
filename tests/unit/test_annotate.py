"""Results drawn on pictures, and pictures written as a video."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.annotate import VideoWriter, draw, write_videos
from connectors.memory import MemoryTransport
from stream.codec import encode, encode_frame
from stream.errors import ConfigError
from stream.masks import Mask
from stream.rulebook import Rulebook
from stream.rules import Crossing
from stream.types import (
    Frame,
    FrameId,
    Gap,
    Instance,
    Picture,
    Pixels,
    Raw,
    Result,
    Size,
    Track,
    Tracks,
)
from tests.support.build import MODEL
from tests.support.clock import START_US
from tests.support.scene import GATE, GREY, SIZE, alert, away, ring

LINE = Crossing(id="over", camera="hall", line=((0.55, 0.7), (0.55, 0.2)))


def grey(size: Size = SIZE) -> Pixels:
    return np.full((*size, 3), GREY, np.uint8)


def result(mask: Mask, seq: int = 0) -> Result:
    box = tuple(float(each) for each in mask.box)
    instance = Instance("person", 0.9, (box[0], box[1], box[2], box[3]), mask)
    return Result("hall", 1, seq, seq, seq, mask.size, MODEL, (instance,))


def tracks(seq: int = 0, born: int = 0) -> Tracks:
    track = Track(f"hall/1/{born}/0", "person", 0.9, (0, 0, 1, 1), (0, 0), (), 0)
    return Tracks("hall", 1, seq, seq, (track,))


def test_the_masks_pixels_are_tinted_and_a_hole_in_it_is_not() -> None:
    mask = ring()
    drawn = draw(grey(), result(mask), None, (), ())
    tinted = np.abs(drawn.astype(int) - GREY).max(axis=2) > 20
    far = away(mask, 3)
    far[:40] = False  # the label
    assert tinted[mask.bitmap() & far].all()
    assert not tinted[~mask.bitmap() & far].any()
    assert (mask.bitmap() & far).any()


def test_the_given_picture_stays_as_it_was() -> None:
    pixels = grey()
    draw(pixels, result(ring()), tracks(), [GATE], [alert()])
    assert (pixels == GREY).all()


def test_two_identities_have_two_colours() -> None:
    one, other = (draw(grey(), result(ring()), tracks(born=born), (), ()) for born in (0, 1))
    inside = ring().bitmap() & away(ring(), 3)
    assert not np.array_equal(one[inside], other[inside])


def test_a_zone_is_red_while_an_alert_is_open_in_it() -> None:
    inside = np.s_[50:60, 130:140]
    calm, alarmed = (draw(grey(), None, None, [GATE], alerts) for alerts in ((), [alert()]))
    assert np.ptp(calm[inside].reshape(-1, 3).mean(axis=0)) < 2
    blue, _, red = alarmed[inside].reshape(-1, 3).mean(axis=0)
    assert red - blue > 20


def light(drawn: Pixels, columns: slice) -> int:
    """How many pixels beside the middle of the line something light is drawn on."""
    return int((drawn[48:60, columns].astype(int).mean(axis=2) > GREY + 60).sum())


@pytest.mark.parametrize(
    ("direction", "left", "right"),
    [("left-to-right", False, True), ("right-to-left", True, False), ("any", True, True)],
)
def test_a_line_has_an_arrow_for_each_direction_that_counts(
    direction: str, left: bool, right: bool
) -> None:
    line = LINE.model_copy(update={"direction": direction})
    drawn = draw(grey(), None, None, [line], ())
    assert bool(light(drawn, np.s_[70:84])) == left
    assert bool(light(drawn, np.s_[93:107])) == right


def test_a_line_is_red_while_its_own_alert_is_open() -> None:
    drawn = [
        draw(grey(), None, None, [LINE.model_copy(update={"id": name})], [alert()])
        for name in ("over", "keep-out")
    ]
    reds = [each[70:80, 88, 2].astype(int) - each[70:80, 88, 0] for each in drawn]
    assert [bool((red > 80).all()) for red in reds] == [False, True]


@given(st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_any_size_of_picture_can_be_drawn_on(size: Size) -> None:
    drawn = draw(grey(size), result(Mask.whole(size)), tracks(), [GATE, LINE], [alert()])
    assert drawn.shape == (*size, 3)
    empty = Mask.from_edges(size, [])
    assert draw(grey(size), result(empty), None, (), ()).shape == (*size, 3)


def shown(path: Path) -> list[tuple[float, Pixels]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [(float(each.time or 0), each.to_ndarray(format="bgr24")) for each in frames]


async def test_each_picture_is_shown_at_its_own_time(tmp_path: Path) -> None:
    times_us = [5_000_000, 5_040_000, 5_200_000, 6_000_000, 6_033_333]
    async with VideoWriter(tmp_path / "out" / "video.mp4") as video:
        for level, time_us in enumerate(times_us):
            await video.write(np.full((64, 80, 3), 40 * level + 20, np.uint8), time_us)
    pictures = shown(tmp_path / "out" / "video.mp4")
    assert [time_s for time_s, _ in pictures] == pytest.approx(
        [(each - times_us[0]) / 1e6 for each in times_us], abs=1e-4
    )
    levels = [float(pixels.mean()) for _, pixels in pictures]
    assert levels == pytest.approx([20, 60, 100, 140, 180], abs=4)


async def test_odd_sizes_are_made_even_and_other_sizes_are_fitted_in(tmp_path: Path) -> None:
    async with VideoWriter(tmp_path / "video.mp4") as video:
        for seq, size in enumerate([(61, 81), (200, 90), (20, 30)]):
            await video.write(grey(size), seq * 40_000)
    assert [pixels.shape for _, pixels in shown(tmp_path / "video.mp4")] == [(62, 82, 3)] * 3


async def test_where_time_goes_back_the_video_goes_on(tmp_path: Path) -> None:
    async with VideoWriter(tmp_path / "video.mp4") as video:
        for time_us in (0, 100_000, 200_000, 0, 100_000):
            await video.write(grey(), time_us)
    times_s = [time_s for time_s, _ in shown(tmp_path / "video.mp4")]
    assert times_s == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-4)


async def test_a_video_without_pictures_leaves_no_file(tmp_path: Path) -> None:
    async with VideoWriter(tmp_path / "video.mp4"):
        pass
    assert not (tmp_path / "video.mp4").exists()


async def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/video\.mp4"):
        async with VideoWriter(tmp_path / "file" / "video.mp4"):
            pass


async def test_a_closed_video_takes_no_picture(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "video.mp4")
    async with video:
        await video.write(grey(), 0)
    with pytest.raises(ValueError, match="not open"):
        await video.write(grey(), 1)


async def test_every_frame_is_in_the_video_and_alerts_are_drawn_while_open(tmp_path: Path) -> None:
    def pixels_of(picture: Picture) -> Pixels:
        assert isinstance(picture, Raw)
        return picture.pixels

    transport = MemoryTransport()
    topics = ("alerts", "frames", "masks", "tracks")
    async with AsyncExitStack() as stack:
        inboxes = {
            topic: await stack.enter_async_context(transport.inbox(topic, "video"))
            for topic in topics
        }
        async with transport.outbox(*topics) as out:
            await out.send("alerts", encode(alert()))
            await out.send("alerts", encode(alert("resolved", lasted_us=300_000)))
            for seq in range(4):
                time_us = START_US + seq * 100_000
                frame = Frame(FrameId("hall", 1, seq), "archive", SIZE, time_us, 0, Raw(grey()))
                await out.send("frames", encode_frame(frame))
                if seq == 2:
                    await out.send("masks", encode(Gap("hall", 1, 2, 2, 0, "dead_letter")))
                else:
                    await out.send("masks", encode(result(ring(), seq)))
                    await out.send("tracks", encode(tracks(seq)))
        rulebook = Rulebook([LINE], [GATE])
        await write_videos(inboxes, lambda camera: tmp_path / f"{camera}.mp4", rulebook, pixels_of)
    pictures = [pixels for _, pixels in shown(tmp_path / "hall.mp4")]
    masked = [bool(abs(int(each[58, 20, 0]) - GREY) > 15) for each in pictures]
    assert masked == [True, True, False, True]
    reds = [float(each[50:60, 130:140, 2].mean()) for each in pictures]
    assert [red > GREY + 20 for red in reds] == [True, True, True, False]
    assert all(each[65:80, 87:89].mean() > GREY + 40 for each in pictures), "the line"


def noise(size: Size) -> Pixels:
    return np.random.default_rng(7).integers(0, 255, (*size, 3), np.uint8)


async def test_a_disk_that_is_full_is_named(tmp_path: Path) -> None:
    full = tmp_path / "full.mp4"
    full.symlink_to("/dev/full")

    async def film() -> None:
        async with VideoWriter(full) as video:
            for number in range(100):
                await video.write(noise((360, 640)), number * 40_000)

    with pytest.raises(ConfigError, match=r"full\.mp4: No space left on device"):
        await film()


async def test_a_video_that_is_stopped_while_it_encodes_is_still_finished(tmp_path: Path) -> None:
    path = tmp_path / "stopped.mp4"
    encoding = asyncio.Event()

    async def film() -> None:
        async with VideoWriter(path) as video:
            await video.write(noise((720, 1280)), 0)
            encoding.set()
            await video.write(noise((720, 1280)), 40_000)

    filming = asyncio.create_task(film())
    await encoding.wait()
    filming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await filming
    with av.open(str(path)) as written:
        assert 1 <= sum(1 for _ in written.decode(video=0)) <= 2
