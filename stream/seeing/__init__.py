"""What ails a camera, as far as its frames show it: pure.

One file a condition. `Eye` asks all of them, frame by frame, with small grey pictures: a
`thumbnail` of 1920×1080 takes 0.1 ms, and looking at it about as much.
"""

from stream.seeing.eye import Eye
from stream.seeing.look import Finding, Look, Thumbnail, thumbnail

__all__ = ["Eye", "Finding", "Look", "Thumbnail", "thumbnail"]
