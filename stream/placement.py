"""Which partition each camera has: spread evenly and not left to a hash.

A hash puts 30 cameras on 24 partitions so that the fullest holds three times the mean, and the
consumer that gets it falls behind while others idle.
"""

from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from stream.specs import CameraSpec


def place(cameras: Sequence[CameraSpec], partitions: int) -> dict[str, int]:
    """The partition of each camera: its own ``partition`` where it names one, else the emptiest.

    Depends on the cameras and their order alone, so that every process comes to the same.
    """
    placed = {each.id: each.partition for each in cameras if each.partition is not None}
    load = Counter(dict.fromkeys(range(partitions), 0))
    load.update(placed.values())
    for camera in cameras:
        if camera.id not in placed:
            placed[camera.id] = min(range(partitions), key=lambda each: (load[each], each))
            load[placed[camera.id]] += 1
    return placed


def hashed(key: str, partitions: int) -> int:
    """The partition of a key that nobody placed: the same whatever cameras there are."""
    return crc32(key.encode()) % partitions
