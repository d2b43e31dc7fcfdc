"""The list of cameras, and what it takes to make it another: pure."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from stream.specs import CameraSpec, file_path


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


def by_id(cameras: Iterable[CameraSpec]) -> dict[str, CameraSpec]:
    """Cameras under their ids, in their order."""
    return {camera.id: camera for camera in cameras}


def has_an_end(camera: CameraSpec) -> bool:
    """Whether it ends by itself for good: a file that does not begin again."""
    return file_path(camera.url) is not None and not camera.loop
