"""Parts of clips, cut without decoding them."""

from itertools import islice
from pathlib import Path

import av

from stream.errors import ConfigError


def require(path: Path) -> Path:
    """``path``, which must be there. Raises `ConfigError` that says what it is for."""
    if not path.exists():
        raise ConfigError(f"{path}: not found; name the folder of the material with --material")
    return path


def beginning(clip: Path, frames: int, folder: Path) -> Path:
    """The first ``frames`` frames of a clip, as a file in ``folder``; packets are copied."""
    part = folder / f"{clip.stem}-{frames}.mp4"
    with av.open(str(require(clip))) as source, av.open(str(part), "w") as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        packets = (packet for packet in source.demux(video) if packet.dts is not None)
        for packet in islice(packets, frames):
            packet.stream = copy
            target.mux(packet)
    return part


def frame_count(clip: Path) -> int:
    """How many frames a clip says it has."""
    with av.open(str(require(clip))) as source:
        return int(source.streams.video[0].frames)
