"""Results drawn on pictures, and pictures written as a video.

What the live page shows, for files: `outputs.video` and the pictures of the documentation.
"""

from connectors.annotate.drawing import Place, draw
from connectors.annotate.videos import write_videos
from connectors.annotate.writer import VideoWriter

__all__ = ["Place", "VideoWriter", "draw", "write_videos"]
