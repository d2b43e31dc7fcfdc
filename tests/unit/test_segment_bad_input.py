"""One poison record costs one frame; what is too new stops the role."""

from collections.abc import Sequence

import pytest

from connectors.jpeg import JpegCodec
from stream import codec
from stream.errors import DeviceError, UnsupportedVersionError
from stream.halving import Instances
from stream.ports import Record, View
from stream.quarantine import LEAST_FAILED
from stream.segment import TOPICS, Outlet
from stream.stages import Spent, untold
from stream.types import (
    Result,
    Tracks,
)
from tests.support.build import closed, frame, opened, picture
from tests.support.clock import START_US
from tests.support.models import BrightModel, PickyModel
from tests.support.segmenting import BOX, JPEG, Bench, audited, brief
from tests.support.topics import everything


@pytest.fixture
def bench() -> Bench:
    return Bench()


def poisons() -> dict[str, tuple[Record, str]]:
    """Records of frame 1 that cannot be handled, each with the reason."""
    jpeg = JPEG.encode(picture(BOX)).jpeg
    good = codec.encode_frame(frame(1, image=JPEG.encode(picture())))
    large = JpegCodec(90, 10**7, 10**9).encode(picture(size=(400, 400)))
    return {
        "truncated": (Record("hall", jpeg[:-20], good.headers), "decode_error"),
        "empty": (Record("hall", b"", good.headers), "decode_error"),
        "pickle": (Record("hall", b"\x80\x04K\x01.", good.headers), "decode_error"),
        "too many bytes": (Record("hall", bytes(100_001), good.headers), "too_large"),
        "too many pixels": (
            codec.encode_frame(frame(1, image=large, size=(400, 400))),
            "too_large",
        ),
        "other size than its headers": (
            codec.encode_frame(frame(1, image=JPEG.encode(picture(size=(48, 48))))),
            "decode_error",
        ),
        "no mode": (
            Record("hall", good.value, {**good.headers, "ce_mode": b"dead"}),
            "schema_error",
        ),
        "huge header": (
            Record("hall", good.value, {**good.headers, "ce_width": b"9" * 100_000}),
            "schema_error",
        ),
    }


@pytest.mark.parametrize("name", poisons())
async def test_a_poison_record_costs_one_frame_and_its_neighbours_notice_nothing(
    bench: Bench, name: str
) -> None:
    poison, reason = poisons()[name]
    found = await bench.masks(opened(), frame(0), poison, frame(2), closed(3))
    assert brief(found) == ["EpochOpened", "0", "1-1 dead_letter", "2", "EpochClosed"]
    assert audited(found).passed
    (letter,) = await bench.letters()
    assert bytes(letter.record.value) == bytes(poison.value)
    assert poison.headers.items() <= letter.record.headers.items()
    assert letter.record.headers["dead_letter_ref"] == b"frames@2"
    assert letter.record.headers["dead_letter_reason"] == reason.encode()
    assert bench.count("dead_letters", topic="frames", reason=reason) == 1


@pytest.mark.parametrize("header", ["ce_seq", "ce_epoch", "ce_time"])
async def test_a_record_without_a_readable_identity_is_a_dead_letter_alone(
    bench: Bench, header: str
) -> None:
    good = codec.encode_frame(frame(1))
    broken = Record("hall", good.value, {**good.headers, header: b"?"})
    assert brief(await bench.masks(frame(0), broken, frame(2))) == ["0", "2"]
    assert len(await bench.letters()) == 1


@pytest.mark.parametrize(
    "stray",
    [
        codec.encode(Tracks("hall", 1, 0, START_US, ())),
        codec.encode(Result("hall", 1, 0, 0, 0, (4, 4), BrightModel().ref, ())),
        Record("hall", b"{}", codec.encode(closed(1)).headers),
        Record("hall", b"hello", {}),
    ],
)
async def test_what_does_not_belong_among_frames_is_a_dead_letter(
    bench: Bench, stray: Record
) -> None:
    assert brief(await bench.masks(stray, frame(7))) == ["7"]
    (letter,) = await bench.letters()
    assert letter.record.headers["dead_letter_reason"] == b"schema_error"


async def test_a_newer_version_stops_the_role_without_a_commit(bench: Bench) -> None:
    good = codec.encode_frame(frame(0))
    newer = Record("hall", good.value, {**good.headers, "ce_type": b"maskstream.frame.v2"})
    with pytest.RaisesGroup(
        pytest.RaisesExc(UnsupportedVersionError, match="upgrade this reader"),
        flatten_subgroups=True,
    ):
        await bench.masks(newer, frame(1))
    left = await everything(bench.transport, "frames", "segment")
    assert len(left) == 2
    assert await bench.letters() == []


def spoiled(seq: int, camera: str = "hall") -> Record:
    """A live frame that is no picture."""
    good = codec.encode_frame(frame(seq, camera, mode="live", image=JPEG.encode(picture())))
    return Record(camera, b"noise", good.headers)


async def test_a_live_camera_that_sends_mostly_noise_is_left_alone_and_its_neighbour_is_not(
    bench: Bench,
) -> None:
    neighbour = [frame(seq, "gate", mode="live", image=JPEG.encode(picture())) for seq in range(60)]
    noise = [spoiled(seq) for seq in range(60)]
    sent = [each for pair in zip(noise, neighbour, strict=True) for each in pair]
    found = await bench.masks(*sent)
    audit = {each.camera: each for each in audited(found).epochs}
    hall = audit["hall"]
    assert audit["gate"].results == 60
    assert hall.missing == 0
    letters = len(await bench.letters())
    assert LEAST_FAILED <= letters < 60
    assert hall.gaps == {"dead_letter": letters, "quarantined": 60 - letters}


async def test_a_file_is_never_left_alone(bench: Bench) -> None:
    good = codec.encode_frame(frame(0))
    noise = [
        Record("hall", b"noise", {**good.headers, "ce_seq": str(seq).encode()}) for seq in range(60)
    ]
    found = await bench.masks(opened(), *noise, closed(60), topic="frames-archive")
    (hall,) = audited(found).epochs
    assert hall.gaps == {"dead_letter": 60}
    assert len(await bench.letters()) == 60


async def test_a_frame_that_the_device_has_no_room_for_costs_itself() -> None:
    bench = Bench(model=PickyModel(batch_size=4))
    large = frame(1, image=JPEG.encode(picture((0, 8, 30, 24))))
    found = await bench.masks(opened(), frame(0), large, frame(2), frame(3), closed(4))
    assert brief(found) == ["EpochOpened", "0", "1-1 dead_letter", "2", "3", "EpochClosed"]
    assert audited(found).passed
    (letter,) = await bench.letters()
    assert letter.record.headers["dead_letter_reason"] == b"out_of_memory"
    assert bench.count("dead_letters", topic="frames", reason="out_of_memory") == 1


class BrokenModel(BrightModel):
    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        raise DeviceError("an illegal memory access")


async def test_a_device_that_failed_stops_the_role_without_a_commit() -> None:
    bench = Bench(model=BrokenModel())
    with pytest.RaisesGroup(DeviceError, flatten_subgroups=True):
        await bench.masks(frame(0))
    assert len(await everything(bench.transport, "frames", "segment")) == 1


async def test_a_shadow_leaves_letters_to_the_first_model_and_tells_the_gap_all_the_same() -> None:
    bench = Bench(outlet=Outlet("masks.next", letters=None))
    torn, _ = poisons()["truncated"]
    unknown, _ = poisons()["no mode"]
    headers = {key: value for key, value in unknown.headers.items() if key != "ce_seq"}
    nobodys = Record("hall", unknown.value, headers)
    sent = (opened(), frame(0), torn, nobodys, frame(2), closed(3))
    found = await bench.masks(*sent, topic="frames-archive")
    assert brief(found) == ["EpochOpened", "0", "1-1 dead_letter", "2", "EpochClosed"]
    assert audited(found).passed
    for topic in TOPICS:
        assert [each async for each in bench.transport.whole(topic)] == []
    assert bench.count("dead_letters", topic="frames-archive", reason="decode_error") == 1
