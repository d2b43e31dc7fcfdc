"""A constant-velocity Kalman filter over all boxes of a camera at once, in seconds.

A box is measured as (centre x, centre y, width / height, height), px, as ByteTrack does
(arXiv 2110.06864, its published ``kalman_filter.py``, which is DeepSORT's). In that filter every
matrix is block-diagonal, so its 8x8 covariance is four independent 2x2 ones: position and
velocity of one measured number. They are kept as such, and all updates are elementwise.

ByteTrack counts in frames of 30 a second. Here the same noise is a rate: what the position and
the velocity gather in one second. Two steps of half a second therefore leave the same state as
one of a second, and any frame rate will do.
"""

from typing import NamedTuple

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
COLUMNS = 20
"""Numbers that a box is kept as: four of each field of `Motion`."""
ROW_BYTES = 8 * COLUMNS
"""Of one box, in `Motion.to_bytes`."""


class Motion(NamedTuple):
    """Where boxes are and how they move: five float64 arrays of shape (boxes, 4).

    ``position`` and ``velocity`` are means (px, px/s); the variances are those of the position,
    of both together (covariance), and of the velocity.
    """

    position: Floats
    velocity: Floats
    position_var: Floats
    both_var: Floats
    velocity_var: Floats

    def take(self, rows: NDArray[np.intp]) -> "Motion":
        """Only these boxes, in this order."""
        return Motion(*(field[rows] for field in self))

    def joined(self, other: "Motion") -> "Motion":
        """The boxes of both, these first."""
        return Motion(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def to_bytes(self) -> bytes:
        """All numbers as little-endian float64, box after box."""
        return np.concatenate(self, axis=1).astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Motion":
        """What `to_bytes` gave."""
        rows = np.frombuffer(data, "<f8").reshape(-1, COLUMNS)
        return cls(*(rows[:, at : at + 4] for at in range(0, COLUMNS, 4)))


def measured(boxes: Floats) -> Floats:
    """Boxes (n, 4) as x1, y1, x2, y2 px → (centre x, centre y, width / height, height)."""
    low, high = boxes[:, :2], boxes[:, 2:]
    sides = np.maximum(high - low, 1.0)
    centre = (low + high) / 2
    return np.column_stack((centre, sides[:, 0] / sides[:, 1], sides[:, 1]))


def boxes_of(motion: Motion) -> Floats:
    """The boxes (n, 4) where they are thought to be, as x1, y1, x2, y2 px."""
    centre, aspect, height = np.split(motion.position, (2, 3), axis=1)
    half = np.concatenate((aspect * height, height), axis=1) / 2
    return np.concatenate((centre - half, centre + half), axis=1)


def begin(boxes: Floats) -> Motion:
    """Boxes (n, 4) px seen for the first time: velocity 0, and wide open."""
    position = measured(boxes)
    zero = np.zeros_like(position)
    drift = _scaled(position, 2 * POSITION_STD, ASPECT_DRIFT_STD)
    push = _scaled(position, 10 * VELOCITY_STD, ASPECT_VELOCITY_STD)
    return Motion(position, zero, drift**2, zero, push**2)


def predict(motion: Motion, dt_s: float) -> Motion:
    """Where the boxes are after ``dt_s`` seconds without a look."""
    drift = _scaled(motion.position, POSITION_STD, ASPECT_DRIFT_STD) ** 2 * FRAMES_PER_S
    push = _scaled(motion.position, VELOCITY_STD, ASPECT_VELOCITY_STD) ** 2 * FRAMES_PER_S
    position, velocity, position_var, both_var, velocity_var = motion
    return Motion(
        position + velocity * dt_s,
        velocity,
        position_var
        + 2 * dt_s * both_var
        + dt_s**2 * velocity_var
        + drift * dt_s
        + push * (dt_s**3 / 3),
        both_var + dt_s * velocity_var + push * (dt_s**2 / 2),
        velocity_var + push * dt_s,
    )


def correct(motion: Motion, boxes: Floats) -> Motion:
    """What is known once the same boxes (n, 4) px were seen."""
    found = measured(boxes)
    noise = _scaled(motion.position, POSITION_STD, ASPECT_STD) ** 2
    gain = motion.position_var / (motion.position_var + noise)
    pull = motion.both_var / (motion.position_var + noise)
    missed_by = found - motion.position
    return Motion(
        motion.position + gain * missed_by,
        motion.velocity + pull * missed_by,
        (1 - gain) * motion.position_var,
        (1 - gain) * motion.both_var,
        motion.velocity_var - pull * motion.both_var,
    )


def _scaled(position: Floats, of_height: float, of_aspect: float) -> Floats:
    """A standard deviation for each measured number: parts of the height, one fixed."""
    scale = np.repeat(np.maximum(position[:, 3:], 1.0) * of_height, 4, axis=1)
    scale[:, 2] = of_aspect
    return scale
