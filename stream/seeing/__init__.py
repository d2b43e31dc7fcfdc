"""What ails a camera, as far as its frames show it: pure.

One file a condition. `Eye` asks all of them, frame by frame, with small grey pictures. What that
costs, alone and within ingest, is in docs/decisions/0011.
"""

from stream.seeing.eye import Eye
from stream.seeing.look import Finding, Look, Thumbnail, thumbnail

__all__ = ["Eye", "Finding", "Look", "Thumbnail", "thumbnail"]
