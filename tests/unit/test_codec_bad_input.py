"""Records that are refused, and how that is said."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import codec
from stream.codec import Message
from stream.errors import InvalidResultError, RecordError, SchemaError, UnsupportedVersionError
from stream.ports import Record
from stream.types import Encoded, Frame, Gap
from tests.support import build
from tests.support.wire import SEEN, changed, edited


def test_a_newer_major_version_is_refused_and_the_reader_is_to_be_upgraded() -> None:
    record = changed(codec.encode(SEEN), ce_type=b"maskstream.result.v2")
    with pytest.raises(UnsupportedVersionError, match=r"result\.v2.*v0 and v1.*this reader first"):
        codec.decode(record)


def test_an_unsupported_version_costs_no_record_but_stops_the_reader() -> None:
    assert not issubclass(UnsupportedVersionError, RecordError)


def test_a_message_that_is_not_what_its_header_says_is_refused() -> None:
    record = changed(codec.encode(build.gap(0, 1)), ce_type=b"maskstream.result.v1")
    with pytest.raises(SchemaError, match="ce_type says result, the value says gap"):
        codec.decode(record)


def test_a_frame_is_not_a_message_and_a_message_is_no_frame() -> None:
    with pytest.raises(SchemaError):
        codec.decode(codec.encode_frame(build.frame()))
    with pytest.raises(SchemaError, match="ce_type: given gap; allowed: frame"):
        codec.decode_frame(codec.encode(build.gap(0, 1)))


@pytest.mark.parametrize(
    "name",
    [
        "ce_type", "ce_epoch", "ce_seq", "ce_mode", "ce_height", "ce_width", "ce_time",
        "ce_arrived", "content-type",
    ],
)  # fmt: skip
def test_a_missing_header_is_named(name: str) -> None:
    record = codec.encode_frame(build.frame())
    headers = {key: value for key, value in record.headers.items() if key != name}
    with pytest.raises(SchemaError, match=f"{name}: header is missing"):
        codec.decode_frame(Record(record.key, record.value, headers))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ce_type", b"maskstream.frame"),
        ("ce_type", b"other.frame.v1"),
        ("ce_seq", b"-1"),
        ("ce_seq", b"1.0"),
        ("ce_seq", b"\xd9\xa1"),  # a digit, but no ASCII one
        ("ce_epoch", b""),
        ("ce_epoch", b"9" * 30),
        ("ce_height", b"0"),
        ("ce_width", b"100000"),
        ("ce_mode", b"dead"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2023-11-14T22:13:20"),  # no zone
        ("ce_arrived", b"0001-01-01T00:00:00+14:00"),  # before the year 1
        ("content-type", b"image/png"),
    ],
)
def test_a_header_out_of_range_is_refused_by_name(name: str, given: bytes) -> None:
    record = changed(codec.encode_frame(build.frame()), **{name.replace("-", "_"): given})
    with pytest.raises(SchemaError, match=f"{name}: given .* allowed: "):
        codec.decode_frame(record)


@pytest.mark.parametrize("value", [b"", b"\0" * 7])
def test_a_raw_picture_of_another_size_than_its_headers_is_refused(value: bytes) -> None:
    record = codec.encode_frame(build.frame(size=(2, 3)))
    with pytest.raises(SchemaError, match=f"{len(value)} bytes; a 3×2 picture has 18"):
        codec.decode_frame(Record(record.key, value, record.headers))


def first_instance(**fields: Any) -> list[dict[str, Any]]:
    return [{**json.loads(codec.to_json(SEEN))["instances"][0], **fields}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"instances": first_instance(score=float("nan"))}, "JSON"),
        ({"instances": first_instance(score=None)}, "score"),
        ({"instances": first_instance(score=1.5)}, r"hall/1/3 instances\[0\].score: given 1.5"),
        ({"instances": first_instance(score=-0.1)}, "allowed: 0 to 1"),
        ({"instances": first_instance(box=[1, 2, 3])}, "box"),
        ({"instances": first_instance(mask={"size": [48, 63], "counts": "0"})}, "mask"),
        ({"instances": first_instance(mask={"size": [48, 64], "counts": "\x01"})}, "mask"),
        ({"instances": first_instance(mask={"size": [0, 64], "counts": ""})}, "mask"),
        ({"instances": first_instance(mask={"size": [10**12, 64], "counts": ""})}, "mask"),
        ({"instances": first_instance(mask=[1, 2])}, 'mask must be {"size"'),
        ({"size": [64, 48]}, r"mask.size: given \(48, 64\); the frame's is \(64, 48\)"),
        ({"size": [0, 0], "instances": []}, "size"),
        ({"seq": -1}, "seq"),
        ({"epoch": 2**70}, "epoch"),
        ({"time_us": 10**20}, "time_us"),
        ({"model": None}, "model"),
    ],
)
def test_a_result_that_contradicts_itself_is_invalid(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidResultError, match=named):
        codec.decode(edited(SEEN, **fields))


def test_a_box_beyond_any_number_is_invalid() -> None:
    line = codec.to_json(SEEN).replace(b"8.0", b"1e999")
    with pytest.raises(InvalidResultError):
        codec.from_json(line)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (build.gap(3, 5), {"first": 6}),
        (build.gap(3, 5), {"reason": "tired"}),
        (build.gap(3, 5), {"first": -1}),
        (build.closed(3), {"frames": -1}),
        (build.opened(), {"size": [0, 64]}),
        (build.opened(), {"mode": None}),
    ],
)
def test_a_control_record_out_of_range_is_refused(message: Message, fields: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        codec.decode(edited(message, **fields))


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"null", b"{}", b'{"type":"song"}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(SchemaError):
        codec.from_json(line)


kinds = ["frame", "result", "gap", "epoch-opened", "tracks", "alert", "unheard-of"]
types = st.sampled_from(kinds).map(lambda kind: f"maskstream.{kind}.v1".encode())
good = [
    codec.encode_frame(build.frame()),
    codec.encode_frame(build.frame(image=Encoded(b"a picture"))),
    codec.encode(SEEN),
]


@given(
    st.sampled_from(good),
    st.dictionaries(st.sampled_from(sorted(good[0].headers)), st.binary(max_size=40) | types),
    st.none() | st.binary(max_size=60),
)
def test_random_headers_and_bytes_give_typed_errors_only(
    record: Record, headers: dict[str, bytes], value: bytes | None
) -> None:
    noisy = Record(
        record.key, record.value if value is None else value, {**record.headers, **headers}
    )
    for read in (codec.decode, codec.decode_frame):
        try:
            answer = read(noisy)
        except (RecordError, UnsupportedVersionError):
            continue
        assert isinstance(answer, Frame | Message)
        if isinstance(answer, Frame):
            codec.encode(Gap(*answer.id, answer.id.seq, answer.time_us, "stale"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.sampled_from([SEEN, build.gap(1, 2), build.opened(), build.closed(3)]),
    st.data(),
)
def test_whatever_a_field_holds_the_error_is_typed_and_what_passes_can_be_written(
    message: Message, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(message.__struct_fields__))
    record = edited(message, **{name: data.draw(json_values)})
    try:
        read = codec.decode(record)
    except RecordError:
        return
    assert codec.decode(codec.encode(read)) == read
