"""Cuboids standing in the yard, with flat details on their faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from connectors.demo.geometry import Bounds, Colour, FloatArray, Solid, face
from connectors.demo.light import Light


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a thing stands: metres, and its heading in radians."""

    x: float
    y: float
    z: float = 0.0
    heading: float = 0.0

    def place(self, points: FloatArray) -> FloatArray:
        """The thing's own points (n, 3), x ahead, y left, z up, in the world."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(points @ turn + np.array([self.x, self.y, self.z]))

    def local(self, point: FloatArray) -> FloatArray:
        """A world point (3,) as the thing sees it."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        dx, dy = point[0] - self.x, point[1] - self.y
        return np.array([dx * cos + dy * sin, dy * cos - dx * sin, point[2] - self.z])

    def bounds(self, low: FloatArray, high: FloatArray) -> Bounds:
        """The bounds in the world of a box between two corners of the thing's own axes."""
        middle = self.place(((low + high) / 2)[None])[0]
        half = (high - low) / 2
        bottom, top = self.z + float(low[2]), self.z + float(high[2])
        return Bounds(
            float(middle[0]),
            float(middle[1]),
            self.heading,
            float(half[0]),
            float(half[1]),
            bottom,
            top,
        )


@dataclass(frozen=True, slots=True)
class Decal:
    """A rectangle on some faces, in fractions (u0, v0, u1, v1) across and up the face.

    `on` holds any of the letters f(ront), b(ack), l(eft), r(ight), t(op).
    """

    on: str
    u0: float
    v0: float
    u1: float
    v1: float
    colour: Colour


_FACES: tuple[tuple[str, tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]], ...] = (
    # name, normal, across, up: across x up = normal
    ("f", (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ("b", (-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    ("l", (0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    ("r", (0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ("t", (0, 0, 1), (1, 0, 0), (0, 1, 0)),
)


@dataclass(frozen=True, slots=True)
class Cuboid:
    """A box between two corners of a thing's own axes, metres, with decals."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    colour: Colour
    decals: Sequence[Decal] = ()

    def solids(self, stand: Stand, light: Light, eye: FloatArray) -> list[Solid]:
        """The faces that `eye` sees, lit, and what is drawn on them."""
        low, high = np.array(self.low), np.array(self.high)
        middle, half = (low + high) / 2, (high - low) / 2
        seen = stand.local(eye) - middle
        solids = []
        for name, normal, across, up in _FACES:
            n, a, u = (np.array(v, dtype=np.float64) for v in (normal, across, up))
            if float(seen @ n) <= float(half @ np.abs(n)):
                continue
            centre = middle + n * half
            world = stand.place(n[None])[0] - np.array([stand.x, stand.y, stand.z])
            rectangles = [Decal(name, 0, 0, 1, 1, self.colour)]
            rectangles += [d for d in self.decals if name in d.on]
            for order, decal in enumerate(rectangles):
                corners = _rectangle(centre, a * half, u * half, decal)
                tint = light.on_face(decal.colour, world)
                solids.append(face(stand.place(corners), tint, casts=order == 0))
        return solids


def _rectangle(centre: FloatArray, across: FloatArray, up: FloatArray, decal: Decal) -> FloatArray:
    uv = ((decal.u0, decal.v0), (decal.u1, decal.v0), (decal.u1, decal.v1), (decal.u0, decal.v1))
    return np.array([centre + across * (2 * u - 1) + up * (2 * v - 1) for u, v in uv])
