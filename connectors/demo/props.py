"""Things that nobody looks for, and that a model must learn to leave alone."""

from __future__ import annotations

import math

import numpy as np

from connectors.demo.cuboid import Cuboid, Decal, Stand
from connectors.demo.geometry import Bounds, Colour, FloatArray, Solid, face, limb, scaled
from connectors.demo.light import Light
from connectors.demo.render import Thing

_WHITE: Colour = (232.0, 234.0, 236.0)
_ORANGE: Colour = (30.0, 100.0, 240.0)


def cone(x: float, y: float) -> Thing:
    """A traffic cone, 0.7 m tall."""
    foot = np.array([x, y, 0.0])
    solids = [_disc(x, y, 0.03, 0.24, scaled(_ORANGE, 0.8))]
    for low, high, tone in ((0.03, 0.25, _ORANGE), (0.25, 0.42, _WHITE), (0.42, 0.7, _ORANGE)):
        ends = [foot + np.array([0, 0, z]) for z in (low, high)]
        solids.append(limb(ends, [0.19 - 0.22 * z for z in (low, high)], tone))
    return Thing(None, solids, Bounds(x, y, 0.0, 0.2, 0.2, 0.0, 0.7))


def bollard(x: float, y: float, tone: Colour) -> Thing:
    """A steel post with a pale band, one metre tall."""
    foot = np.array([x, y, 0.0])
    ups = ((0, 0, 1.0), (0, -0.01, 0.68), (0, -0.01, 0.8))
    top, low, high = (foot + np.array(up) for up in ups)
    solids = [limb([foot, top], [0.1, 0.1], tone), limb([low, high], [0.1, 0.1], _WHITE)]
    return Thing(None, solids, Bounds(x, y, 0.0, 0.1, 0.1, 0.0, 1.1))


def drum(x: float, y: float, tone: Colour) -> Thing:
    """An oil drum with two ribs, 0.9 m tall."""
    solids = [_tube(x, y, 0.0, 0.9, 0.3, tone)]
    solids += [_tube(x, y, z, z + 0.04, 0.315, scaled(tone, 0.75)) for z in (0.3, 0.6)]
    solids.append(_disc(x, y, 0.9, 0.3, scaled(tone, 1.15)))
    solids.append(_disc(x, y, 0.9, 0.25, scaled(tone, 0.8)))
    return Thing(None, solids, Bounds(x, y, 0.0, 0.3, 0.3, 0.0, 0.9))


def planter(x: float, y: float, light: Light, eye: FloatArray, seed: int) -> Thing:
    """A concrete trough with a round shrub, 1.5 m tall."""
    rng = np.random.default_rng(seed)
    trough = Cuboid(
        (-0.6, -0.3, 0.0),
        (0.6, 0.3, 0.5),
        (150.0, 156.0, 160.0),
        [Decal("fblr", 0, 0.86, 1, 1, (172.0, 178.0, 182.0))],
    )
    solids = trough.solids(Stand(x, y), light, eye)
    leaves = []
    for _ in range(16):
        offset = rng.normal(0, 1, 3) * [0.28, 0.1, 0.18]
        green = scaled((66.0, 128.0, 88.0), float(rng.uniform(0.75, 1.25)))
        spot = np.array([x, y, 0.92]) + offset
        leaves.append(limb([spot], [float(rng.uniform(0.14, 0.24))], green))
    leaves.sort(key=lambda s: -float(s.points[0, 1]))
    return Thing(None, [*solids, *leaves], Bounds(x, y, 0.0, 0.6, 0.35, 0.0, 1.4))


def pallet(stand: Stand, light: Light, eye: FloatArray) -> Thing:
    """An empty wooden pallet, 0.14 m thick."""
    gaps = [Decal("t", u, 0.0, u + 0.07, 1.0, (70.0, 92.0, 112.0)) for u in (0.16, 0.38, 0.6, 0.82)]
    holes = [Decal("fblr", u, 0.15, u + 0.34, 0.75, (40.0, 52.0, 64.0)) for u in (0.1, 0.56)]
    body = Cuboid((-0.6, -0.4, 0.0), (0.6, 0.4, 0.14), (110.0, 148.0, 178.0), [*gaps, *holes])
    bounds = stand.bounds(np.array(body.low), np.array(body.high))
    return Thing(None, body.solids(stand, light, eye), bounds)


def drawn_prop(
    rng: np.random.Generator, x: float, y: float, light: Light, eye: FloatArray
) -> Thing:
    """A random one at (x, y)."""
    tones = ((60.0, 180.0, 235.0), (150.0, 110.0, 60.0), (80.0, 80.0, 190.0), (110.0, 120.0, 70.0))
    tone = tones[rng.integers(len(tones))]
    kind = int(rng.integers(5))
    if kind == 0:
        return cone(x, y)
    if kind == 1:
        return bollard(x, y, tone)
    if kind == 2:
        return drum(x, y, tone)
    if kind == 3:
        return planter(x, y, light, eye, int(rng.integers(2**31)))
    return pallet(Stand(x, y, 0.0, float(rng.uniform(0, math.pi))), light, eye)


def _ring(x: float, y: float, z: float, radius: float) -> FloatArray:
    angles = np.linspace(0, 2 * math.pi, 20, endpoint=False)
    return np.stack(
        [x + radius * np.cos(angles), y + radius * np.sin(angles), np.full(20, z)], axis=1
    )


def _disc(x: float, y: float, z: float, radius: float, tone: Colour) -> Solid:
    return face(_ring(x, y, z, radius), tone)


def _tube(x: float, y: float, low: float, high: float, radius: float, tone: Colour) -> Solid:
    rings = np.concatenate([_ring(x, y, low, radius), _ring(x, y, high, radius)])
    return face(rings, tone)
