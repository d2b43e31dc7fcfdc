"""Identities that last from result to result: `stream.tracking.identities`.

Here is what rules count on as well, so that a configuration is read without loading what tracks.
"""

MEMORY_US = 3_000_000
"""An identity that results do not show for longer than this is forgotten. ByteTrack has 30 frames
(1 s); people turn, bend and pass behind each other for longer than that."""
UNSEEN_MAX = 300
"""Identities out of sight that are remembered, the last seen first: as many as a model gives in
one picture. It bounds the state of a camera whose picture flickers."""
STEP_US = 1_000_000
"""The most that one result moves and ages identities: in a longer silence, or before a new epoch,
nobody knows what they did, so they are looked for near where they were."""
