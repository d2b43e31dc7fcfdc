"""A counterbalance forklift with a closed, tinted cab, so that nobody in it counts as on foot.

Its own axes: x ahead (towards the forks), y left, z up, the origin on the ground between the axles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from connectors.demo.cuboid import Cuboid, Decal, Stand
from connectors.demo.geometry import Bounds, Colour, FloatArray, Solid, back_to_front, face, scaled
from connectors.demo.light import Light
from connectors.demo.looks import Looks, colour

FORK_REACH = 1.72
"""Metres from the origin to the middle of a load on the forks."""

FORK_TOP = 0.12
"""Metres from the ground to the top of the lowered forks."""

_STEEL: Colour = (62.0, 58.0, 56.0)
_GLASS: Colour = (116.0, 96.0, 70.0)
_SHINE: Colour = (176.0, 158.0, 132.0)
_TYRE: Colour = (44.0, 40.0, 38.0)
_RIM: Colour = (150.0, 152.0, 154.0)
_BEACON: Colour = (20.0, 140.0, 250.0)


@dataclass(frozen=True, slots=True)
class Forklift:
    """A forklift of one livery; `lift` metres of fork height, `rolled` metres driven so far."""

    livery: Colour
    lift: float = 0.0
    rolled: float = 0.0

    def bounds(self, stand: Stand) -> Bounds:
        """The room of body and mast; the forks reach out of it, under their load."""
        return stand.bounds(np.array([-1.3, -0.6, 0.0]), np.array([1.15, 0.6, 2.2 + self.lift]))

    def solids(self, stand: Stand, light: Light, eye: FloatArray) -> list[Solid]:
        """All parts, farthest first."""
        parts = self._parts()
        corners = [(np.array(p.low), np.array(p.high)) for p in parts]
        order = back_to_front([stand.bounds(low, high) for low, high in corners], eye)
        solids: list[Solid] = []
        for index in order:
            solids += parts[index].solids(stand, light, eye)
        return solids

    def _parts(self) -> list[Cuboid | _Wheel]:
        return [*self._body(), *self._cab(), *self._mast(), *self._wheels()]

    def _body(self) -> list[Cuboid]:
        livery, dark = self.livery, scaled(self.livery, 0.7)
        grille = [Decal("b", 0.2, v, 0.8, v + 0.07, scaled(livery, 0.45)) for v in (0.3, 0.45, 0.6)]
        plate = [Decal("b", 0.06, 0.72, 0.2, 0.86, (60.0, 60.0, 235.0))]
        plate += [Decal("b", 0.8, 0.72, 0.94, 0.86, (60.0, 60.0, 235.0))]
        stripe = [Decal("lr", 0.0, 0.40, 1.0, 0.52, (235.0, 238.0, 240.0))]
        return [
            Cuboid((-0.72, -0.38, 0.2), (0.95, 0.38, 0.5), _STEEL),
            Cuboid((-0.72, -0.55, 0.5), (0.95, 0.55, 0.72), dark),
            Cuboid((-1.3, -0.55, 0.52), (-0.72, 0.55, 1.12), livery, [*grille, *plate]),
            Cuboid((-1.22, -0.38, 0.2), (-0.72, 0.38, 0.52), _STEEL),
            Cuboid((-0.72, -0.52, 0.72), (0.82, 0.52, 1.06), livery, stripe),
        ]

    def _cab(self) -> list[Cuboid]:
        panes = [
            Decal("lr", 0.12, 0.1, 0.46, 0.92, _GLASS),
            Decal("lr", 0.54, 0.1, 0.9, 0.92, _GLASS),
            Decal("fb", 0.08, 0.1, 0.92, 0.92, _GLASS),
            Decal("lr", 0.2, 0.5, 0.26, 0.9, _SHINE),
            Decal("fb", 0.7, 0.45, 0.8, 0.9, _SHINE),
        ]
        slit = scaled(_STEEL, 1.5)
        vents = [Decal("t", u, 0.15, u + 0.08, 0.85, slit) for u in (0.25, 0.45, 0.65)]
        return [
            Cuboid((-0.68, -0.5, 1.06), (0.78, 0.5, 2.0), _STEEL, panes),
            Cuboid((-0.78, -0.56, 2.0), (0.88, 0.56, 2.1), scaled(self.livery, 0.9), vents),
            Cuboid((-0.6, -0.08, 2.1), (-0.44, 0.08, 2.26), _BEACON),
        ]

    def _mast(self) -> list[Cuboid]:
        lift = self.lift
        top = max(2.05, 1.5 + lift)
        bars = [Decal("fb", 0.0, v, 1.0, v + 0.14, _STEEL) for v in (0.1, 0.8)]
        bars += [Decal("fb", u, 0.0, u + 0.06, 1.0, _STEEL) for u in (0.0, 0.33, 0.62, 0.94)]
        rails = [
            Cuboid((0.97, y - 0.055, 0.1), (1.08, y + 0.055, top), scaled(_STEEL, 1.25))
            for y in (0.32, -0.32)
        ]
        forks = [
            Cuboid((1.15, y - 0.06, lift + 0.05), (2.2, y + 0.06, lift + FORK_TOP), _STEEL)
            for y in (0.24, -0.24)
        ]
        carriage = Cuboid(
            (1.09, -0.46, lift + 0.05), (1.15, 0.46, lift + 0.9), scaled(_STEEL, 1.7), bars
        )
        return [*rails, carriage, *forks]

    def _wheels(self) -> list[_Wheel]:
        return [
            _Wheel(x, side * 0.47, radius, self.rolled)
            for x, radius in ((0.62, 0.33), (-0.92, 0.27))
            for side in (1, -1)
        ]


@dataclass(frozen=True, slots=True)
class _Wheel:
    """A wheel at (x, y) of its vehicle, standing on the ground, turned by the way rolled."""

    x: float
    y: float
    radius: float
    rolled: float

    @property
    def low(self) -> tuple[float, float, float]:
        return (self.x - self.radius, self.y - 0.09, 0.0)

    @property
    def high(self) -> tuple[float, float, float]:
        return (self.x + self.radius, self.y + 0.09, 0.5)

    def solids(self, stand: Stand, light: Light, eye: FloatArray) -> list[Solid]:
        side = 1.0 if stand.local(eye)[1] > self.y else -1.0
        near = self.y + 0.09 * side
        tyre = np.concatenate([self._disc(1.0, self.y - 0.09), self._disc(1.0, self.y + 0.09)])
        normal = stand.place(np.array([[0.0, side, 0.0]]))[0] - stand.place(np.zeros((1, 3)))[0]
        solids = [face(stand.place(tyre), _TYRE)]
        for size, tone in ((0.6, _RIM), (0.2, scaled(_RIM, 0.6))):
            lit = light.on_face(tone, normal)
            solids.append(face(stand.place(self._disc(size, near)), lit, casts=False))
        turned = -self.rolled / self.radius
        for k in range(3):
            angle = turned + k * 2 * math.pi / 3
            across, up = 0.4 * self.radius * math.cos(angle), 0.4 * self.radius * math.sin(angle)
            bolt = stand.place(np.array([[self.x + across, near, self.radius + up]]))
            dot = Solid(bolt, np.array([0.028]), scaled(_RIM, 0.5), round=False, casts=False)
            solids.append(dot)
        return solids

    def _disc(self, size: float, y: float) -> FloatArray:
        angles = np.linspace(0, 2 * math.pi, 16, endpoint=False)
        across, up = self.radius * size * np.cos(angles), self.radius * size * np.sin(angles)
        return np.stack([self.x + across, np.full(16, y), self.radius + up], axis=1)


def drawn_forklift(rng: np.random.Generator, looks: Looks) -> Forklift:
    """A random forklift of one family."""
    livery = colour(looks.liveries[rng.integers(len(looks.liveries))])
    lift = float(rng.uniform(0.0, 1.4)) if rng.random() < 0.5 else 0.08
    return Forklift(livery, lift, float(rng.uniform(0, 5)))
