"""The list of cameras: its records, and what it takes to make it another. Pure."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from stream import codec
from stream.errors import SchemaError
from stream.placement import place
from stream.ports import Record, Registry
from stream.specs import CameraSpec, file_path

PARTITION, SINCE = "partition", "since"
"""Headers: where a camera's records go, which a tombstone tells as well, and the last epoch that
was claimed before the record was written."""
_FRAMES = "url", "mode", "fps", "partition"
"""What says which frames a file has, and where they lie."""


class Listed:
    """A `stream.ports.Registry` of a list that never changes, all of it this process's."""

    def __init__(self, cameras: Iterable[CameraSpec]) -> None:
        self.cameras: Mapping[str, CameraSpec] = by_id(cameras)

    @asynccontextmanager
    async def share(self) -> AsyncIterator[AsyncIterator[Mapping[str, CameraSpec]]]:
        """All, once."""

        async def shares() -> AsyncIterator[Mapping[str, CameraSpec]]:
            yield self.cameras

        yield shares()


def is_live(registry: Registry, camera: str) -> bool:
    """Whether a camera is one that ``registry`` has as live; an archive, and one that is gone, is
    none.
    """
    spec = registry.cameras.get(camera)
    return spec is not None and spec.mode == "live"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record says: the camera, None where it was removed, and where its records go."""

    camera: CameraSpec | None
    partition: int
    since: int


@dataclass(frozen=True, slots=True)
class Change:
    """A camera that is to be added (no ``before``), changed, or removed (no ``after``)."""

    before: CameraSpec | None
    after: CameraSpec | None

    @property
    def camera(self) -> CameraSpec:
        """As it is to be, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def goes_on(self) -> bool:
        """Whether the frames stay those that they were, so that a file goes on in its epoch."""
        before, after = self.before, self.after
        if before is None or after is None:
            return False
        return all(getattr(before, field) == getattr(after, field) for field in _FRAMES)

    def record(self, time_us: int, since: int) -> Record:
        """What to write to ``cameras``. ``since``: the last epoch that the camera had."""
        camera = self.camera
        headers = {PARTITION: b"%d" % (camera.partition or 0), SINCE: b"%d" % since}
        if self.after is None:
            return Record(camera.id, b"", headers)
        identity = f"{camera.id}/{since}"
        headers |= codec.envelope("camera", identity, time_us, codec.JSON)
        return Record(camera.id, camera.model_dump_json(exclude_defaults=True).encode(), headers)


def changes(
    there: Mapping[str, CameraSpec], wanted: Iterable[CameraSpec], partitions: int
) -> list[Change]:
    """What makes ``there`` hold exactly ``wanted``.

    Who names no partition keeps the one that it has, and one that is new gets the emptiest.
    """
    listed = [_placed(camera, there.get(camera.id)) for camera in wanted]
    places = place(listed, partitions)
    after = by_id(each.model_copy(update={"partition": places[each.id]}) for each in listed)
    removed = [Change(each, None) for name, each in there.items() if name not in after]
    return removed + [
        Change(there.get(name), each) for name, each in after.items() if there.get(name) != each
    ]


def decode(record: Record) -> Entry:
    """What a record of ``cameras`` says.

    Raises `SchemaError`, or `UnsupportedVersionError` for one of a newer writer. Fields that this
    reader does not know are passed over.
    """
    partition = codec.integer(record.headers, PARTITION)
    since = codec.integer(record.headers, SINCE)
    if not record.value:
        return Entry(None, partition, since)
    if (kind := codec.kind_of(record)) != "camera":
        raise SchemaError(f"ce_type: given {kind}; allowed: camera")
    try:
        camera = CameraSpec.model_validate_json(bytes(record.value), extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise SchemaError(f"{field}: {first['msg']}") from error
    if (camera.id, camera.partition) != (record.key, partition):
        raise SchemaError(
            f"id and partition: given {camera.id} and {camera.partition}; "
            f"key and header say {record.key} and {partition}"
        )
    return Entry(camera, partition, since)


def _placed(camera: CameraSpec, there: CameraSpec | None) -> CameraSpec:
    if there is None or camera.partition is not None:
        return camera
    return camera.model_copy(update={"partition": there.partition})


def by_id(cameras: Iterable[CameraSpec]) -> dict[str, CameraSpec]:
    """Cameras under their ids, in their order."""
    return {camera.id: camera for camera in cameras}


def has_an_end(camera: CameraSpec) -> bool:
    """Whether it ends by itself for good: a file that does not begin again."""
    return file_path(camera.url) is not None and not camera.loop
