"""Pictures from video files."""

import asyncio
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from connectors.clock import SteadyClock
from connectors.video import open_feed
from stream.errors import CameraError, CameraRefusedError
from stream.ports import Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import Mode, Size
from tests.support.clips import STEP, write_clip, write_sound
from tests.support.topics import PATIENCE_S

CLOCK = SteadyClock()


def camera(url: Path | str, mode: Mode = "archive") -> CameraSpec:
    return CameraSpec(id="hall", url=str(url), mode=mode)


async def shots(url: Path | str) -> list[Shot]:
    async with open_feed(camera(url), CLOCK) as feed:
        return [shot async for shot in feed.shots(Sampler(None))]


@pytest.mark.parametrize(
    ("name", "count", "size", "fps", "read"),
    [
        ("one-by-one-person-detection", 1394, (432, 768), 10.0, 300),
        ("bottle-detection", 1189, (360, 640), 179 / 6, 1189),
    ],
)
async def test_a_real_clip_gives_its_frames_at_their_times(
    shared: Path, name: str, count: int, size: Size, fps: float, read: int
) -> None:
    """All frames of the one clip, and the beginning of the other, to save time."""
    times_s: list[float] = []
    async with open_feed(camera(shared / f"video/{name}.mp4"), CLOCK) as feed:
        assert (feed.size, feed.frames) == (size, count)
        assert feed.fps == pytest.approx(fps)
        async for shot in feed.shots(Sampler(None)):
            assert shot.size == size
            times_s.append(shot.time_s)
            if len(times_s) == read < count:
                break
    assert times_s == pytest.approx([number / fps for number in range(read)], abs=1e-5)


@pytest.mark.parametrize("asked", [30.0, 10.0])
async def test_of_a_real_clip_as_many_frames_are_offered_as_its_camera_asks_for(
    shared: Path, asked: float
) -> None:
    async with open_feed(camera(shared / "video/bottle-detection.mp4"), CLOCK) as feed:
        offered = []
        async for shot in feed.shots(Sampler(asked)):
            if shot.time_s >= 2:
                break
            offered.append(shot.time_s)
        assert len(offered) == pytest.approx(min(asked, feed.fps or 0) * 2, abs=1)


async def test_a_file_began_when_its_creation_tag_says(shared: Path) -> None:
    async with open_feed(camera(shared / "video/one-by-one-person-detection.mp4"), CLOCK) as feed:
        assert feed.started_us == 1_506_445_069_000_000  # 2017-09-26T16:57:49Z


async def test_without_a_creation_tag_a_file_began_when_it_was_last_changed(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 2)
    async with open_feed(camera(clip), CLOCK) as feed:
        assert feed.started_us == clip.stat().st_mtime_ns // 1000


@pytest.mark.parametrize("tag", ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00"])
async def test_a_creation_tag_counts_with_its_zone(tmp_path: Path, tag: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 2, tags={"creation_time": tag})
    async with open_feed(camera(clip), CLOCK) as feed:
        assert feed.started_us == 1_700_000_000_000_000


async def test_pictures_are_blue_green_red_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = await shots(write_clip(tmp_path / "clip.mp4", 6))
    assert [shot.time_s for shot in found] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for number, shot in enumerate(found):
        pixels = shot.pixels()
        assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == (
            (48, 64, 3), np.dtype(np.uint8), True,
        )  # fmt: skip
        assert np.abs(pixels.astype(int) - number * STEP).max() < STEP / 2


async def test_a_picture_says_how_long_the_decoder_worked_for_it(tmp_path: Path) -> None:
    found = await shots(write_clip(tmp_path / "clip.mp4", 6))
    assert all(shot.decoding_us > 0 for shot in found)
    assert {shot.decoded_us for shot in found} == {None}, "it was decoded before it came"


async def test_a_picture_outlives_its_file(tmp_path: Path) -> None:
    (shot,) = await shots(write_clip(tmp_path / "clip.mp4", 1))
    assert shot.pixels().shape == (48, 64, 3)


async def test_a_file_given_as_a_live_camera_plays_at_its_own_pace(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5, rate=50)
    now_s = asyncio.get_running_loop().time
    began_s = now_s()
    async with open_feed(camera(clip, "live"), CLOCK) as feed:
        early = [shot.time_s - (now_s() - began_s) async for shot in feed.shots(Sampler(None))]
    assert len(early) == 5
    assert max(early) < 0.001


async def test_a_file_of_an_archive_is_read_as_fast_as_it_goes(tmp_path: Path) -> None:
    minutes = write_clip(tmp_path / "clip.mp4", 120, rate=Fraction(1))
    async with asyncio.timeout(60):
        assert len(await shots(minutes)) == 120


async def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CameraRefusedError, match=r"camera hall: No such file .*gone\.mp4"):
        await shots(tmp_path / "gone.mp4")


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CameraRefusedError, match="camera hall: "):
        await shots(tmp_path)


async def test_a_text_is_no_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is not a video\n" * 100)
    with pytest.raises(CameraRefusedError, match=r"camera hall: Invalid data .*notes\.mp4"):
        await shots(text)


async def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(CameraRefusedError, match="camera hall: "):
        await shots(tmp_path / "empty.mp4")


async def test_a_file_without_one_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.start_encoding()
    with pytest.raises(CameraRefusedError, match="camera hall: "):
        await shots(path)


async def test_a_file_with_sound_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CameraRefusedError, match=r"no picture in it: .*song\.wav"):
        await shots(write_sound(tmp_path / "song.wav"))


async def test_a_file_of_a_kind_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", 2)
    clip.write_bytes(clip.read_bytes().replace(b"FMP4", b"XOWN"))
    with pytest.raises(CameraRefusedError, match=r"of a kind that cannot be read: .*clip\.avi"):
        await shots(clip)


async def test_a_title_in_another_encoding_does_no_harm(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", 2, tags={"title": "Entr@e"})
    clip.write_bytes(clip.read_bytes().replace(b"Entr@e", "Entrée".encode("latin-1")))
    assert len(await shots(clip)) == 2


async def test_a_file_cut_off_before_its_index_is_refused(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", 40).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CameraRefusedError, match=r"cut\.mp4"):
        await shots(cut)


async def test_a_file_cut_off_in_its_pictures_gives_those_before_the_cut(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", 40, options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    times_s: list[float] = []
    with suppress(CameraError):  # some decoders object to the last picture, some end
        async with open_feed(camera(cut), CLOCK) as feed:
            assert feed.frames == 40
            times_s.extend([shot.time_s async for shot in feed.shots(Sampler(None))])
    assert times_s == pytest.approx([number / 10 for number in range(len(times_s))])
    assert 10 < len(times_s) < 40


async def test_a_camera_that_does_not_answer_may_come_back() -> None:
    with pytest.raises(CameraError, match="camera hall: ") as caught:
        await shots("rtsp://127.0.0.1:1/hall")
    assert caught.value.retriable


async def test_reading_can_be_stopped_at_any_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 30, rate=1)

    async def read() -> None:
        async with open_feed(camera(clip, "live"), CLOCK) as feed:
            async for _ in feed.shots(Sampler(None)):
                started.set()

    started = asyncio.Event()
    reading = asyncio.create_task(read())
    async with asyncio.timeout(PATIENCE_S):
        await started.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
