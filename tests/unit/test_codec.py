"""Types to records and back, and what is refused on the way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jpeg import JpegCodec
from stream import codec
from stream.codec import Message
from stream.errors import SchemaError, TooLargeError
from stream.masks import Mask
from stream.ports import Delivery
from stream.types import (
    FIRST_US,
    LAST_US,
    MOST_COUNT,
    Alert,
    CameraHealth,
    CameraStatus,
    DeliveryStatus,
    Encoded,
    EpochClosed,
    EpochOpened,
    Evidence,
    Frame,
    FrameId,
    Gap,
    Instance,
    ModelRef,
    Raw,
    Result,
    Track,
    Tracks,
)
from tests.support import build
from tests.support.clock import START_US
from tests.support.wire import SEEN, changed, edited

camera = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
label = st.text(min_size=1, max_size=8)
count = st.integers(0, MOST_COUNT)
instant = st.integers(FIRST_US, LAST_US)
number = st.floats(allow_nan=False, allow_infinity=False)
box = st.tuples(number, number, number, number)
size = st.tuples(st.integers(1, 12), st.integers(1, 12))


@st.composite
def masks(draw: st.DrawFn, frame_size: tuple[int, int]) -> Mask:
    pixels = frame_size[0] * frame_size[1]
    bits = draw(st.lists(st.booleans(), min_size=pixels, max_size=pixels))
    return Mask.from_bitmap(frame_size, np.array(bits).reshape(frame_size), 0, 0)


@st.composite
def instances(draw: st.DrawFn, frame_size: tuple[int, int]) -> Instance:
    return Instance(draw(label), draw(st.floats(0, 1)), draw(box), draw(masks(frame_size)))


@st.composite
def results(draw: st.DrawFn) -> Result:
    frame_size = draw(size)
    model = ModelRef(draw(label), "0" * 64, "f32")
    seen = tuple(draw(st.lists(instances(frame_size), max_size=3)))
    identity = draw(camera), draw(count), draw(count), draw(instant), draw(instant)
    return Result(*identity, frame_size, model, seen, draw(st.none() | label))


gaps = st.builds(
    lambda gap, length: msgspec.structs.replace(gap, last=min(MOST_COUNT, gap.first + length)),
    st.builds(Gap, camera, count, count, count, instant),
    st.integers(0, 1000),
)
evidence = st.builds(
    Evidence,
    count,
    count,
    score=st.none() | number,
    overlap=st.none() | number,
    box=st.none() | box,
    mask=st.none() | size.flatmap(masks),
    value=st.none() | number,
    frame_ref=st.none() | label,
)
tracks = st.builds(
    Track, label, label, number, box, st.tuples(number, number), st.just(("exit",)), count
)
alerts = st.builds(
    Alert,
    id=label,
    camera=camera,
    opened_us=instant,
    time_us=instant,
    evidence=st.none() | evidence,
    snapshot=st.none() | label,
    clip=st.none() | label,
)
MESSAGES: dict[type, st.SearchStrategy[Any]] = {
    Result: results(),
    Gap: gaps,
    EpochOpened: st.builds(
        EpochOpened, camera, count, instant, size=size, fps=st.none() | number,
        expected=st.none() | count,
    ),
    EpochClosed: st.builds(EpochClosed, camera, count, instant, count),
    Tracks: st.builds(
        Tracks, camera, count, count, instant, st.lists(tracks, max_size=3).map(tuple)
    ),
    CameraHealth: st.builds(
        CameraHealth, camera, count, count, instant, since_us=instant, detail=label
    ),
    Alert: alerts,
    CameraStatus: st.builds(CameraStatus, camera, time_us=instant),
    DeliveryStatus: st.builds(
        DeliveryStatus, label, attempts=count, time_us=instant, snapshot=st.none() | alerts
    ),
}  # fmt: skip


def _frames() -> Iterator[Frame]:
    yield build.frame(7, mode="live", image=Raw(build.picture((1, 2, 3, 4))))
    jpeg = JpegCodec(80, 10**6, 10**6).encode(build.picture((1, 2, 30, 40)))
    yield replace(build.frame(2**40, mode="archive", image=jpeg), arrived_us=START_US + 1)
    yield build.frame(0, time_us=-1, size=(1, 1))


FRAMES = list(_frames())


def same(one: Frame, other: Frame) -> bool:
    if isinstance(one.picture, Raw) and isinstance(other.picture, Raw):
        is_same = np.array_equal(one.picture.pixels, other.picture.pixels)
        return is_same and replace(one, picture=other.picture) == other
    return one == other


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_message_comes_back_as_it_was(kind: type) -> None:
    @given(MESSAGES[kind])
    def comes_back(message: Message) -> None:
        record = codec.encode(message)
        assert codec.decode(record) == message
        assert codec.from_json(codec.to_json(message)) == message
        assert codec.encode(message).headers == record.headers
        assert codec.time_us(record) == message.time_us

    comes_back()


def test_every_message_type_is_tried() -> None:
    assert set(MESSAGES) == set(Message.__args__)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(frame.id))
def test_every_frame_comes_back_as_it_was(frame: Frame) -> None:
    record = codec.encode_frame(frame)
    assert same(codec.decode_frame(record), frame)
    assert codec.frame_id(record) == frame.id
    assert codec.time_us(record) == frame.time_us


def test_a_raw_picture_is_not_copied() -> None:
    pixels = np.zeros((1080, 1920, 3), np.uint8)
    record = codec.encode_frame(build.frame(size=(1080, 1920), image=Raw(pixels)))
    decoded = codec.decode_frame(record).picture
    assert isinstance(decoded, Raw)
    assert np.shares_memory(decoded.pixels, pixels)


def test_the_value_of_an_encoded_frame_is_the_picture_itself() -> None:
    jpeg = JpegCodec(80, 10**6, 10**6).encode(build.picture())
    record = codec.encode_frame(build.frame(image=jpeg))
    assert record.value == jpeg.jpeg
    assert record.headers["content-type"] == b"image/jpeg"


UPDATED = Alert(
    id="a1",
    state="updated",
    rule="leaves",
    kind="presence",
    camera="hall",
    zone=None,
    labels=("person",),
    severity="warning",
    tracks=(),
    opened_us=5,
    time_us=7,
    evidence=None,
    notify=("ops",),
)


@pytest.mark.parametrize(
    ("message", "key", "identity", "kind"),
    [
        (SEEN, "hall", "hall/1/3/result", "result"),
        (build.gap(2, 5), "hall", "hall/1/2-5", "gap"),
        (build.opened(epoch=4), "hall", "hall/4/epoch-opened", "epoch-opened"),
        (build.closed(9), "hall", "hall/1/epoch-closed", "epoch-closed"),
        (Tracks("hall", 1, 3, START_US, ()), "hall", "hall/1/3/tracks", "tracks"),
        (CameraStatus("hall", "live", 5), "hall", "hall/live/5", "camera-status"),
        (
            DeliveryStatus("a1", "opened", "ops", "pending", 2, 5),
            "a1/opened/ops",
            "a1/opened/ops/pending/2",
            "delivery",
        ),
        (
            DeliveryStatus("a1", "updated", "ops", "pending", 2, 5, snapshot=UPDATED),
            "a1/updated/7/ops",
            "a1/updated/7/ops/pending/2",
            "delivery",
        ),
    ],
)
def test_the_headers_are_those_of_cloudevents(
    message: Message, key: str, identity: str, kind: str
) -> None:
    record = codec.encode(message)
    assert record.key == key
    assert {name: record.headers[name] for name in ("ce_specversion", "ce_id", "ce_type")} == {
        "ce_specversion": b"1.0",
        "ce_id": identity.encode(),
        "ce_type": f"maskstream.{kind}.v1".encode(),
    }
    assert record.headers["ce_source"] == b"/maskstream"
    assert record.headers["content-type"] == b"application/json"


def test_which_frames_a_record_ends_is_read_from_its_headers() -> None:
    result, gap = codec.encode(build.result(7, epoch=3)), codec.encode(build.gap(2, 9, epoch=4))
    assert codec.ended(replace(result, value=b"")) == (3, 7, 7)
    assert codec.ended(replace(gap, value=b"")) == (4, 2, 9)
    assert codec.ended(codec.encode(build.opened())) is None
    for identity in (b"hall/3", b"yard-2/3/7/result", b"hall/3/7/tracks", b"hall/-3/7/result"):
        with pytest.raises(SchemaError, match="ce_id"):
            codec.ended(changed(result, ce_id=identity))


def test_times_are_written_as_rfc_3339_to_the_microsecond() -> None:
    record = codec.encode_frame(build.frame(time_us=1_700_000_000_123_456))
    assert record.headers["ce_time"] == b"2023-11-14T22:13:20.123456Z"
    assert codec.time_us(changed(record, ce_time=b"2023-11-14T23:13:20.123456+01:00")) == (
        1_700_000_000_123_456
    )


def test_masks_are_coco_rle_at_the_size_of_the_frame() -> None:
    body = json.loads(codec.to_json(SEEN))
    mask = SEEN.instances[0].mask
    assert body["instances"][0]["mask"] == {"size": [48, 64], "counts": mask.counts}
    assert body["type"] == "result"


def test_unknown_fields_and_headers_are_ignored() -> None:
    record = edited(SEEN, mood="sunny")
    assert codec.decode(changed(record, traceparent=b"00-1-2-01")) == SEEN


def test_the_version_before_is_read() -> None:
    assert codec.decode(changed(codec.encode(SEEN), ce_type=b"maskstream.result.v0")) == SEEN


def test_a_dead_letter_is_the_record_untouched_with_its_origin_and_the_reason() -> None:
    record = codec.encode(SEEN)
    letter = codec.dead_letter(
        Delivery("frames", record, 7, "frames@7"), TooLargeError("40000×40000 > 8.3 MP")
    )
    assert (letter.key, letter.value) == (record.key, record.value)
    added = {name: letter.headers[name] for name in letter.headers.keys() - record.headers.keys()}
    assert added == {
        "dead_letter_topic": b"frames",
        "dead_letter_ref": b"frames@7",
        "dead_letter_reason": b"too_large",
        "dead_letter_error": "40000×40000 > 8.3 MP".encode(),
    }
    assert dict(record.headers).items() <= dict(letter.headers).items()


def test_the_identity_reads_as_one_word() -> None:
    assert str(FrameId("hall", 3, 14)) == "hall/3/14"
    assert Encoded(b"x") == Encoded(b"x")
