"""Records of the registry, and what it takes to make it another list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import codec
from stream.errors import SchemaError, UnsupportedVersionError
from stream.ports import Record
from stream.registry import Change, Entry, by_id, changes, decode
from stream.specs import CameraSpec, Tiles
from tests.support.clock import START_US

PARTITIONS = 4
NAMES = st.sampled_from(["hall", "yard", "dock", "gate", "roof", "lift"])
CAMERAS = st.lists(
    st.builds(
        CameraSpec,
        id=NAMES,
        url=st.just("rtsp://camera/1"),
        fps=st.sampled_from([None, 5.0]),
        partition=st.sampled_from([None, None, 0, 3]),
    ),
    unique_by=lambda camera: camera.id,
)


def camera(name: str = "hall", partition: int | None = 2) -> CameraSpec:
    return CameraSpec(id=name, url="rtsp://camera/1", partition=partition)


def applied(there: dict[str, CameraSpec], due: list[Change]) -> dict[str, CameraSpec]:
    for each in due:
        if each.after is None:
            there = {name: found for name, found in there.items() if name != each.camera.id}
        else:
            there = {**there, each.after.id: each.after}
    return there


@given(CAMERAS, CAMERAS)
def test_a_list_that_was_applied_is_there_and_changes_nothing_again(
    before: list[CameraSpec], after: list[CameraSpec]
) -> None:
    there = applied({}, changes({}, before, PARTITIONS))
    now = applied(there, changes(there, after, PARTITIONS))
    assert changes(now, after, PARTITIONS) == []
    assert now.keys() == {each.id for each in after}
    for each in after:
        kept = there[each.id].partition if each.id in there else now[each.id].partition
        wanted = kept if each.partition is None else each.partition
        assert now[each.id] == each.model_copy(update={"partition": wanted})


def test_new_cameras_get_the_emptiest_partitions() -> None:
    there = by_id([camera("hall", 0), camera("yard", 1)])
    due = changes(there, [*there.values(), camera("dock", None), camera("gate", None)], PARTITIONS)
    assert [(each.camera.id, each.camera.partition) for each in due] == [("dock", 2), ("gate", 3)]


@pytest.mark.parametrize(
    "spec",
    [
        camera(),
        camera().model_copy(update={"labels": ("person",), "confidence": 0.4, "fps": 5.0}),
        camera().model_copy(update={"tiles": Tiles(columns=2, rows=3), "rtsp": "udp"}),
        CameraSpec(id="film", url="/films/a.mp4", mode="archive", loop=True, partition=0),
    ],
)
def test_a_record_holds_the_whole_camera(spec: CameraSpec) -> None:
    record = Change(None, spec).record(START_US, since=17)
    assert record.key == spec.id
    assert codec.kind_of(record) == "camera"
    assert decode(record) == Entry(spec, spec.partition or 0, 17)


def test_a_tombstone_is_empty_and_says_where_the_camera_was() -> None:
    record = Change(camera(), None).record(START_US, since=0)
    assert record.value == b""
    assert decode(record) == Entry(None, 2, 0)


def test_a_newer_writers_fields_are_passed_over() -> None:
    record = Change(None, camera()).record(START_US, since=1)
    newer = bytes(record.value).replace(b"{", b'{"zoom":3,', 1)
    assert decode(Record(record.key, newer, record.headers)).camera == camera()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"key": "yard"}, "given hall and 2; key and header say yard and 2"),
        ({"value": b'{"id":"hall"}'}, "url: Field required"),
        ({"value": b"?"}, "Invalid JSON"),
        ({"partition": b"x"}, "partition: given b'x'; allowed: 0 to"),
        ({"ce_type": b"maskstream.alert.v1"}, "ce_type: given alert; allowed: camera"),
    ],
)
def test_a_record_that_is_none_of_ours_is_refused(changed: dict[str, bytes], said: str) -> None:
    record = Change(None, camera()).record(START_US, since=1)
    key, value = changed.pop("key", record.key), changed.pop("value", record.value)
    with pytest.raises(SchemaError, match=said):
        decode(Record(str(key), value, {**record.headers, **changed}))


def test_a_later_version_is_said_to_be_one() -> None:
    record = Change(None, camera()).record(START_US, since=1)
    headers = {**record.headers, "ce_type": b"maskstream.camera.v9"}
    with pytest.raises(UnsupportedVersionError, match="upgrade this reader first"):
        decode(Record(record.key, record.value, headers))
