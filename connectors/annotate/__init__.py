"""Results drawn on pictures, and pictures written as a video.

What the live page shows, for files: `outputs.video` and the pictures of the documentation.
"""

from connectors.annotate.drawing import Place, Stamp, draw
from connectors.annotate.videos import write_videos
from connectors.annotate.writer import VideoWriter

__all__ = ["Place", "Stamp", "VideoWriter", "draw", "write_videos"]
