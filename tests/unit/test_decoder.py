"""From packets to the pictures that are needed."""

import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from connectors.video.decoder import Decoder
from connectors.video.pictures import pixels
from stream.errors import CameraError
from stream.sampling import Sampler, frames_kept
from stream.types import Pixels
from tests.support.films import Film, write_film

PATIENCE_S = 60.0
BEGINNING = 64
"""Bytes."""


def film(folder: Path, **words: Any) -> Path:
    made = Film(**words)
    return write_film(folder / f"film.{'avi' if made.codec == 'mjpeg' else 'mp4'}", made)


def decoded(
    path: Path, fps: float | None, broken: int | None = None
) -> tuple[int, dict[float, Pixels]]:
    """How many pictures were decoded, and those that a sampler kept, by their times.

    Of packet number ``broken`` no more than its beginning came.
    """
    count, kept = 0, {}
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        decoder = Decoder(video, PATIENCE_S)
        decoder.sampler = Sampler(fps)
        for number, packet in enumerate(container.demux(video)):
            if not packet.size:
                break
            for picture in decoder.pictures(beginning(packet) if number == broken else packet):
                count += 1
                if decoder.sampler.keeps(decoder.time_s(picture)):
                    kept[round(decoder.time_s(picture), 3)] = pixels(picture)
    return count, kept


def beginning(packet: Any) -> Any:
    """What came of a packet."""
    left = av.Packet(bytes(packet)[:BEGINNING])
    left.pts, left.dts, left.time_base = packet.pts, packet.dts, packet.time_base
    left.stream = packet.stream
    return left


def needed(path: Path) -> int:
    """How many pictures others are made of; none of MJPEG."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.codec_context.skip_frame = "NONREF"
        return sum(1 for _ in container.decode(video))


@pytest.mark.parametrize("words", [{"between": 2}, {"codec": "libx265", "between": 2}])
def test_what_nobody_asks_for_and_no_other_is_made_of_is_not_decoded(
    tmp_path: Path, words: dict[str, Any]
) -> None:
    path = film(tmp_path, **words)
    every, _ = decoded(path, None)
    count, kept = decoded(path, 2)
    assert len(kept) == frames_kept(100, 25, 2)
    assert count <= needed(path) + len(kept) < every


def test_of_a_camera_whose_pictures_stand_alone_only_those_asked_for_are_decoded(
    tmp_path: Path,
) -> None:
    count, kept = decoded(film(tmp_path, codec="mjpeg"), 2)
    assert count == len(kept) == frames_kept(100, 25, 2)


@pytest.mark.parametrize("words", [{"codec": "mjpeg"}, {"between": 2}, {}])
@pytest.mark.parametrize("fps", [2, 5, 10, 20])
def test_what_is_kept_is_the_same_as_if_all_were_decoded(
    tmp_path: Path, words: dict[str, Any], fps: float
) -> None:
    path = film(tmp_path, **words)
    _, every = decoded(path, None)
    _, kept = decoded(path, fps)
    sampler = Sampler(fps)
    assert [*kept] == [time_s for time_s in every if sampler.keeps(time_s)]
    for time_s, picture in kept.items():
        assert np.array_equal(picture, every[time_s])


@pytest.mark.parametrize("words", [{"between": 2}, {}])
def test_neither_a_broken_picture_is_given_nor_one_that_is_made_of_it(
    tmp_path: Path, words: dict[str, Any]
) -> None:
    path = film(tmp_path, size=(480, 640), seconds=2.0, keyframes_s=1.0, **words)
    _, every = decoded(path, None)
    _, kept = decoded(path, None, broken=4)
    for time_s, picture in kept.items():
        assert np.array_equal(picture, every[time_s]), time_s
    assert 0 < max(time_s for time_s in kept if time_s < 1) < 0.3
    assert {time_s for time_s in kept if time_s >= 1} == {time_s for time_s in every if time_s >= 1}


def test_of_pictures_that_stand_alone_only_the_broken_one_is_missing(tmp_path: Path) -> None:
    path = film(tmp_path, codec="mjpeg", seconds=1.0)
    _, every = decoded(path, None)
    _, kept = decoded(path, None, broken=4)
    assert every.keys() - kept.keys() == {0.16}


def test_a_camera_is_not_lost_because_its_reader_took_long(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path))) as container:
        video = container.streams.video[0]
        decoder = Decoder(video, patience_s=1.0)
        packets = container.demux(video)
        for _ in decoder.pictures(next(packets)):
            time.sleep(1.1)  # an epoch is claimed meanwhile
        assert len(list(decoder.pictures(next(packets)))) == 1


def test_a_camera_that_sends_no_whole_picture_is_lost(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path))) as container:
        video = container.streams.video[0]
        decoder = Decoder(video, patience_s=0.0)
        packets = [packet for packet in container.demux(video) if packet.size]
        with pytest.raises(CameraError, match="no whole picture for 0 s"):
            list(decoder.pictures(packets[5]))  # made of pictures that never came
