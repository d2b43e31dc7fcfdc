"""Boxes of several kinds, as they lie in a yard or are carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from connectors.demo.cuboid import Cuboid, Decal, Stand
from connectors.demo.geometry import Bounds, Colour, FloatArray, Solid, scaled
from connectors.demo.light import Light
from connectors.demo.looks import Looks, colour


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its kind, its length, width and height in metres, and its colour."""

    kind: str
    size: tuple[float, float, float]
    colour: Colour

    def solids(self, stand: Stand, light: Light, eye: FloatArray) -> list[Solid]:
        """The visible faces with what is printed or nailed on them."""
        low, high = self._corners()
        decals = _DETAILS[self.kind](self.colour)
        return Cuboid(low, high, self.colour, decals).solids(stand, light, eye)

    def bounds(self, stand: Stand) -> Bounds:
        """What room the box takes in the world."""
        low, high = self._corners()
        return stand.bounds(np.array(low), np.array(high))

    def _corners(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        length, width, height = self.size
        return (-length / 2, -width / 2, 0.0), (length / 2, width / 2, height)


def _carton(base: Colour) -> list[Decal]:
    tape = scaled(base, 1.22)
    return [
        Decal("t", 0.0, 0.44, 1.0, 0.56, tape),
        Decal("fb", 0.44, 0.72, 0.56, 1.0, tape),
        Decal("lr", 0.0, 0.97, 1.0, 1.0, scaled(base, 0.8)),
        Decal("lr", 0.58, 0.12, 0.88, 0.42, (225.0, 230.0, 232.0)),
    ]


def _crate(base: Colour) -> list[Decal]:
    gap, post = scaled(base, 0.55), scaled(base, 1.14)
    slats = [Decal("fblrt", 0.0, v - 0.018, 1.0, v + 0.018, gap) for v in (0.25, 0.5, 0.75)]
    posts = [Decal("fblr", u, 0.0, u + 0.11, 1.0, post) for u in (0.0, 0.89)]
    return [*slats, *posts]


def _tote(base: Colour) -> list[Decal]:
    return [
        Decal("fblr", 0.0, 0.86, 1.0, 1.0, scaled(base, 1.2)),
        Decal("fb", 0.36, 0.6, 0.64, 0.74, scaled(base, 0.5)),
        Decal("lr", 0.08, 0.1, 0.12, 0.86, scaled(base, 0.8)),
        Decal("lr", 0.88, 0.1, 0.92, 0.86, scaled(base, 0.8)),
        Decal("t", 0.06, 0.08, 0.94, 0.92, scaled(base, 0.72)),
    ]


def _kraft(base: Colour) -> list[Decal]:
    band = scaled(base, 0.62)
    return [
        Decal("t", 0.46, 0.0, 0.54, 1.0, scaled(base, 1.18)),
        Decal("lr", 0.46, 0.66, 0.54, 1.0, scaled(base, 1.18)),
        Decal("fblr", 0.08, 0.14, 0.40, 0.36, band),
        Decal("fblr", 0.62, 0.14, 0.68, 0.40, band),
        Decal("fblr", 0.72, 0.14, 0.78, 0.40, band),
        Decal("fblr", 0.82, 0.14, 0.88, 0.40, band),
    ]


def _slatted(base: Colour) -> list[Decal]:
    gap, post = scaled(base, 0.5), scaled(base, 0.86)
    slats = [Decal("fblr", 0.0, v - 0.02, 1.0, v + 0.02, gap) for v in (0.34, 0.67)]
    boards = [Decal("t", u - 0.012, 0.0, u + 0.012, 1.0, gap) for u in (0.2, 0.4, 0.6, 0.8)]
    brace = [Decal("fblr", 0.44, 0.0, 0.56, 1.0, post)]
    return [*slats, *boards, *brace]


_DETAILS: dict[str, Callable[[Colour], list[Decal]]] = {
    "carton": _carton,
    "crate": _crate,
    "tote": _tote,
    "kraft": _kraft,
    "slatted": _slatted,
}

_TONES: dict[str, tuple[str, ...]] = {
    "carton": ("B98A5A", "C79A6B", "A97C50"),
    "crate": ("B08D57", "8A6B42", "C8A878"),
    "tote": ("2E6DA4", "3D8B5A", "6B7480", "B03A3A"),
    "kraft": ("C2935F", "B07F4B", "D2AC7E"),
    "slatted": ("C09A62", "A8794A", "D6B98A"),
}


def drawn_box(rng: np.random.Generator, looks: Looks, *, small: bool = False) -> Box:
    """A random box of one family; a small one can be carried in two hands."""
    kind = str(rng.choice(looks.boxes))
    tones = _TONES[kind]
    if small:
        size = (rng.uniform(0.36, 0.50), rng.uniform(0.45, 0.65), rng.uniform(0.34, 0.55))
    else:
        size = (rng.uniform(0.7, 1.15), rng.uniform(0.7, 1.1), rng.uniform(0.5, 1.0))
    length, width, height = (float(s) for s in size)
    return Box(kind, (length, width, height), colour(tones[rng.integers(len(tones))]))
