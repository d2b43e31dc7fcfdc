"""Pictures from video files and from cameras on the network, through PyAV."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from connectors.video.files import open_file
from connectors.video.network import open_network
from stream.ports import Clock, Feed
from stream.specs import CameraSpec, file_path

__all__ = ["open_feed"]


def open_feed(
    camera: CameraSpec, clock: Clock, credentials: Path | None = None
) -> AbstractAsyncContextManager[Feed]:
    """Open a camera's picture source. ``credentials`` is the folder that has its password.

    Raises `CameraRefusedError` for a file that is not there or is no video, `CameraError` for a
    camera that does not answer.
    """
    path = file_path(camera.url)
    if path is None:
        return open_network(camera, credentials, clock)
    return open_file(camera, path, clock)
