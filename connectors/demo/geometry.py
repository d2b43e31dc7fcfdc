"""World to picture: a fixed pinhole camera, rounded solids, and which of two things hides which.

World axes are in metres: x to the right, y away from the camera, z up; the ground is z = 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Colour = tuple[float, float, float]
"""Blue, green, red, each 0 to 255."""

WIDTH = 832
HEIGHT = 468

_NEAR = 0.3  # metres; what is nearer than this would project without bound


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera `height` metres above the ground, looking along +y and down by `pitch` radians.

    `focal` is the focal length in pixels of a picture 832 pixels wide.
    """

    height: float = 5.0
    pitch: float = math.radians(18)
    focal: float = 760.0

    @property
    def centre(self) -> FloatArray:
        """Where the camera is, metres, shape (3,)."""
        return np.array([0.0, 0.0, self.height])

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels, shape (n, 2), and pixels a metre, shape (n,), of world points (n, 3)."""
        sin, cos = math.sin(self.pitch), math.cos(self.pitch)
        y, z = points[:, 1], points[:, 2] - self.height
        scale = self.focal / np.maximum(y * cos - z * sin, _NEAR)
        up = y * sin + z * cos
        pixels = np.stack([WIDTH / 2 + points[:, 0] * scale, HEIGHT / 2 - up * scale], axis=1)
        return pixels, scale

    def homography(self, origin: FloatArray, right: FloatArray, down: FloatArray) -> FloatArray:
        """The 3x3 map from (metres right, metres down) on a world plane to pixels."""
        corners = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], dtype=np.float64)
        world = origin + corners[:, :1] * right + corners[:, 1:] * down
        pixels, _ = self.project(world)
        matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), pixels.astype(np.float32))
        return np.asarray(matrix, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Solid:
    """The convex hull of balls: one is a ball, two a limb, four of radius zero a face.

    `points` is (n, 3) in metres, `radii` (n,) in metres. A `round` one is shaded like a tube,
    a flat one is filled with its colour as it is. Flat details cast no shadow of their own.
    `nearer` are metres that a part is taken to be closer by when its thing's parts are sorted.
    """

    points: FloatArray
    radii: FloatArray
    colour: Colour
    round: bool = True
    casts: bool = True
    nearer: float = 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """An upright box around a thing, metres: centre (x, y), heading, half sizes, z range."""

    x: float
    y: float
    heading: float
    half_length: float
    half_width: float
    bottom: float
    top: float

    def corners(self) -> FloatArray:
        """The footprint's four corners, shape (4, 2)."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        along = np.array([cos, sin]) * self.half_length
        across = np.array([-sin, cos]) * self.half_width
        signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
        return np.array([[self.x, self.y] + a * along + b * across for a, b in signs])


def limb(
    ends: Sequence[FloatArray], radii: Sequence[float], colour: Colour, *, nearer: float = 0.0
) -> Solid:
    """A round solid through balls at `ends`, each (3,), with `radii` in metres."""
    return Solid(np.array(ends), np.array(radii, dtype=np.float64), colour, nearer=nearer)


def face(points: FloatArray, colour: Colour, *, casts: bool = True) -> Solid:
    """A flat convex face through world points (n, 3)."""
    return Solid(points, np.zeros(len(points)), colour, round=False, casts=casts)


def scaled(colour: Colour, factor: float) -> Colour:
    """A colour made lighter or darker, kept within 0 to 255."""
    blue, green, red = (min(255.0, max(0.0, c * factor)) for c in colour)
    return blue, green, red


def hides(first: Bounds, second: Bounds, eye: FloatArray) -> int:
    """1 where `first` may hide `second`, -1 where `second` may hide `first`, 0 undecided.

    Two disjoint boxes have a plane between them; the one on the eye's side is in front.
    """
    if second.bottom >= first.top - 1e-6:
        return 1 if eye[2] < second.bottom else -1
    if first.bottom >= second.top - 1e-6:
        return -1 if eye[2] < first.bottom else 1
    corners = first.corners(), second.corners()
    for heading in (first.heading, second.heading):
        for turn in (0.0, math.pi / 2):
            axis = np.array([math.cos(heading + turn), math.sin(heading + turn)])
            a, b, e = corners[0] @ axis, corners[1] @ axis, float(eye[:2] @ axis)
            if a.max() <= b.min() + 1e-6:
                return 1 if e < b.min() else -1
            if b.max() <= a.min() + 1e-6:
                return -1 if e < a.min() else 1
    return 0


def back_to_front(bounds: Sequence[Bounds], eye: FloatArray) -> list[int]:
    """Indices in painting order: what is hidden first, what hides it later."""
    distance = [math.hypot(b.x - eye[0], b.y - eye[1]) for b in bounds]
    views = [_view(b, eye) for b in bounds]
    behind: list[list[int]] = [[] for _ in bounds]
    for i, j in itertools.combinations(range(len(bounds)), 2):
        if not _meet(views[i], views[j]):
            continue  # an order that nothing shows could only close a ring
        verdict = hides(bounds[i], bounds[j], eye) or (1 if distance[i] < distance[j] else -1)
        behind[i if verdict > 0 else j].append(j if verdict > 0 else i)
    order: list[int] = []
    seen: set[int] = set()
    for index in sorted(range(len(bounds)), key=lambda i: -distance[i]):
        _visit(index, behind, seen, order.append)
    return order


_View = tuple[float, float, float, float]


def _view(bounds: Bounds, eye: FloatArray) -> _View:
    """What a thing covers on a plane one metre ahead of `eye`: left, right, low, high."""
    corners = bounds.corners() - eye[:2]
    ahead = np.maximum(corners[:, 1], _NEAR)
    across = corners[:, 0] / ahead
    up = np.concatenate([(bounds.bottom - eye[2]) / ahead, (bounds.top - eye[2]) / ahead])
    return float(across.min()), float(across.max()), float(up.min()), float(up.max())


def _meet(one: _View, other: _View) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _visit(
    index: int, behind: list[list[int]], seen: set[int], emit: Callable[[int], None]
) -> None:
    # a ring of things that hide one another is cut where it is entered
    if index in seen:
        return
    seen.add(index)
    for other in behind[index]:
        _visit(other, behind, seen, emit)
    emit(index)
