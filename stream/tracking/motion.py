"""A constant-velocity Kalman filter over all boxes of a camera at once, in seconds.

A box is measured as (centre x, centre y, width / height, height), px, as ByteTrack does
(arXiv 2110.06864, its published ``kalman_filter.py``, which is DeepSORT's). In that filter every
matrix is block-diagonal, so its 8x8 covariance is four independent 2x2 ones: position and
velocity of one measured number. They are kept as such, and all updates are elementwise.

ByteTrack counts in frames of 30 a second. Here the same noise is a rate: what the position and
the velocity gather in one second. Two steps of half a second therefore leave the same state as
one of a second, and any frame rate will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAMES_PER_S = 30.0
"""The rate that ByteTrack's constants were written for."""
POSITION_STD = 1 / 20
"""Standard deviation of a measured or drifting position, as part of the box's height."""
VELOCITY_STD = FRAMES_PER_S / 160
"""What a velocity gathers in one of those frames, in heights a second."""
ASPECT_STD, ASPECT_DRIFT_STD, ASPECT_VELOCITY_STD = 1e-1, 1e-2, FRAMES_PER_S * 1e-5
"""The same for width / height: measured, drifting, its velocity."""
FIELDS = 5
"""What is kept of each measured number: see `Motion`."""
ROW_BYTES = 8 * FIELDS * 4
"""Of one box, in `Motion.to_bytes`."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Where boxes are and how they move: ``fields`` is float64 of shape (5, boxes, 4).

    They are positions and velocities, which are means (px, px/s), and the variances: those of the
    position, of both together (covariance), and of the velocity.
    """

    fields: Floats

    @property
    def position(self) -> Floats:
        """Centre x, centre y, width / height, height: shape (boxes, 4)."""
        position: Floats = self.fields[0]
        return position

    @property
    def velocity(self) -> Floats:
        """How these change in a second."""
        velocity: Floats = self.fields[1]
        return velocity

    def take(self, rows: NDArray[np.intp]) -> "Motion":
        """Only these boxes, in this order."""
        return Motion(self.fields[:, rows])

    def to_bytes(self) -> bytes:
        """All numbers as little-endian float64, box after box."""
        return self.fields.transpose(1, 0, 2).astype("<f8", copy=False).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Motion":
        """What `to_bytes` gave."""
        return cls(np.frombuffer(data, "<f8").reshape(-1, FIELDS, 4).transpose(1, 0, 2))


def joined(parts: Sequence[Motion]) -> Motion:
    """The boxes of all parts, in order."""
    return Motion(np.concatenate([part.fields for part in parts], axis=1))


def measured(boxes: Floats) -> Floats:
    """Boxes (n, 4) as x1, y1, x2, y2 px → (centre x, centre y, width / height, height)."""
    low, high = boxes[:, :2], boxes[:, 2:]
    sides = np.maximum(high - low, 1.0)
    found = np.empty_like(boxes)
    found[:, :2] = (low + high) / 2
    found[:, 2] = sides[:, 0] / sides[:, 1]
    found[:, 3] = sides[:, 1]
    return found


def boxes_of(motion: Motion) -> Floats:
    """The boxes (n, 4) where they are thought to be, as x1, y1, x2, y2 px."""
    position = motion.position
    half = position[:, 2:].copy()
    half[:, 0] *= half[:, 1]
    half /= 2
    return np.concatenate((position[:, :2] - half, position[:, :2] + half), axis=1)


def begin(boxes: Floats) -> Motion:
    """Boxes (n, 4) px seen for the first time: velocity 0, and wide open."""
    position = measured(boxes)
    fields = np.zeros((FIELDS, *position.shape))
    fields[0] = position
    fields[2], fields[4] = _scaled(position, _AT_FIRST) ** 2
    return Motion(fields)


def predict(motion: Motion, dt_s: float) -> Motion:
    """Where the boxes are after ``dt_s`` seconds without a look."""
    position, velocity, position_var, both_var, velocity_var = motion.fields
    drift, push = _scaled(position, _IN_A_FRAME) ** 2 * FRAMES_PER_S
    fields = np.empty_like(motion.fields)
    fields[0] = position + velocity * dt_s
    fields[1] = velocity
    fields[2] = (
        position_var
        + 2 * dt_s * both_var
        + dt_s**2 * velocity_var
        + drift * dt_s
        + push * (dt_s**3 / 3)
    )
    fields[3] = both_var + dt_s * velocity_var + push * (dt_s**2 / 2)
    fields[4] = velocity_var + push * dt_s
    return Motion(fields)


def correct(motion: Motion, boxes: Floats) -> Motion:
    """What is known once the same boxes (n, 4) px were seen."""
    position, velocity, position_var, both_var, velocity_var = motion.fields
    spread = position_var + _scaled(position, _MEASURED)[0] ** 2
    gain, pull = position_var / spread, both_var / spread
    missed_by = measured(boxes) - position
    rest = 1 - gain
    fields = np.empty_like(motion.fields)
    fields[0] = position + gain * missed_by
    fields[1] = velocity + pull * missed_by
    fields[2] = rest * position_var
    fields[3] = rest * both_var
    fields[4] = velocity_var - pull * both_var
    return Motion(fields)


def _deviations(*of_height_and_aspect: tuple[float, float]) -> Floats:
    """Standard deviations of the measured numbers, parts of the height and one fixed: (k, 1, 4)."""
    return np.array([[[part, part, fixed, part]] for part, fixed in of_height_and_aspect])


_MEASURED = _deviations((POSITION_STD, ASPECT_STD))
_IN_A_FRAME = _deviations((POSITION_STD, ASPECT_DRIFT_STD), (VELOCITY_STD, ASPECT_VELOCITY_STD))
_AT_FIRST = _deviations(
    (2 * POSITION_STD, ASPECT_DRIFT_STD), (10 * VELOCITY_STD, ASPECT_VELOCITY_STD)
)


def _scaled(position: Floats, deviations: Floats) -> Floats:
    """`_deviations` (k, 1, 4) for boxes of these heights: (k, n, 4)."""
    scaled: Floats = np.maximum(position[:, 3:], 1.0) * deviations
    scaled[:, :, 2] = deviations[:, :, 2]
    return scaled
