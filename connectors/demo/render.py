"""From things in the yard to a picture and the exact mask of each thing's visible part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from connectors.demo.geometry import (
    HEIGHT,
    WIDTH,
    Bounds,
    Camera,
    Colour,
    FloatArray,
    Solid,
    back_to_front,
    scaled,
)
from connectors.demo.light import Light

Image = NDArray[np.uint8]

LABELS = ("person", "forklift", "box")
"""Class index to name, in the order the model is trained on."""

_SHIFT = 4  # OpenCV draws at sixteenths of a pixel
_ANGLES = np.linspace(0, 2 * math.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something standing in the yard; `label` indexes LABELS, None for what nobody looks for."""

    label: int | None
    solids: Sequence[Solid]
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The empty yard, painted once.

    `image` is (h, w, 3) uint8, a whole multiple of 468x832. `ground` and `doorways` are (h, w)
    bool: where shadows may fall, and where one sees through the wall that stands at `wall` metres.
    """

    image: Image
    ground: NDArray[np.bool_]
    doorways: NDArray[np.bool_]
    wall: float

    @property
    def density(self) -> int:
        """How many times finer than the final picture it is painted."""
        return int(self.image.shape[1]) // WIDTH


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawn picture (468, 832, 3) uint8 BGR and its truth.

    `ids` is (468, 832) uint8: 0 where nothing is, else 1 + the index into `labels` of the instance
    seen there. Masks of one frame are therefore disjoint.
    """

    image: Image
    ids: Image
    labels: tuple[int, ...]

    def mask(self, index: int) -> NDArray[np.bool_]:
        """The visible part of instance `index`, (468, 832) bool."""
        return np.asarray(self.ids == index + 1)


def render(things: Sequence[Thing], backdrop: Backdrop, camera: Camera, light: Light) -> Frame:
    """Paint things over the backdrop, what is behind first."""
    canvas = _Canvas(backdrop, camera, light)
    canvas.shade(things)
    order = back_to_front([thing.bounds for thing in things], camera.centre)
    labels = tuple(thing.label for thing in things if thing.label is not None)
    numbers = np.cumsum([thing.label is not None for thing in things])
    for index in order:
        thing = things[index]
        number = int(numbers[index]) if thing.label is not None else 0
        canvas.paint(thing, number)
    return Frame(canvas.graded(), canvas.numbered(), labels)


class _Canvas:
    """One frame while it is painted, at the backdrop's density."""

    def __init__(self, backdrop: Backdrop, camera: Camera, light: Light) -> None:
        self._backdrop, self._camera, self._light = backdrop, camera, light
        self._density = backdrop.density
        self._image = backdrop.image.copy()
        self._ids = np.zeros(self._image.shape[:2], np.uint8)

    def shade(self, things: Sequence[Thing]) -> None:
        """Darken the ground where the sun, or the sky close to a thing, does not reach."""
        sun = self._light.sun
        slope = np.array([sun[0] / sun[2], sun[1] / sun[2]])
        cast = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
        close = np.zeros_like(cast)
        for thing in things:
            for solid in thing.solids:
                if solid.casts:
                    flat = solid.points.copy()
                    flat[:, :2] -= slope * flat[:, 2:]
                    flat[:, 2] = 0
                    _fill(cast, self._outline(flat, solid.radii, 0.5), 255)
            if thing.bounds.bottom < 0.3:
                corners = np.column_stack([thing.bounds.corners(), np.zeros(4)])
                _fill(close, self._outline(corners, np.full(4, 0.05), 0.5), 255)
        dark = self._light.shadow * cv2.GaussianBlur(cast, (0, 0), 1.3).astype(np.float32) / 255
        dark = np.maximum(dark, cv2.GaussianBlur(close, (0, 0), 3.0).astype(np.float32) / 640)
        size = (self._image.shape[1], self._image.shape[0])
        dark = cv2.resize(dark, size, interpolation=cv2.INTER_LINEAR)
        dark[~self._backdrop.ground] = 0
        # shadows are lit by the sky only, so they are bluer
        gain = 1 - dark[..., None] * np.array([0.86, 0.95, 1.0], np.float32)
        self._image = (self._image * gain).astype(np.uint8)

    def paint(self, thing: Thing, number: int) -> None:
        """Draw one thing; behind the wall it shows in the doorways only."""
        if thing.bounds.y > self._backdrop.wall:
            before = self._image.copy(), self._ids.copy()
            self._draw(thing.solids, number)
            hidden = ~(self._backdrop.doorways | self._backdrop.ground)
            self._image[hidden], self._ids[hidden] = before[0][hidden], before[1][hidden]
        else:
            self._draw(thing.solids, number)

    def _draw(self, solids: Sequence[Solid], number: int) -> None:
        for solid in solids:
            points = self._outline(solid.points, solid.radii, self._density)
            cv2.fillConvexPoly(self._ids, points, number, cv2.LINE_8, _SHIFT)
            if not solid.round:
                _fill(self._image, points, solid.colour)
                continue
            for colour, size, move in _TUBE:
                inner = self._outline(solid.points, solid.radii, self._density, size, move)
                _fill(self._image, inner, scaled(solid.colour, colour))

    def _outline(
        self,
        points: FloatArray,
        radii: FloatArray,
        density: float,
        size: float = 1.0,
        move: float = 0.0,
    ) -> NDArray[np.int32]:
        """The hull of the projected balls in sixteenths of a pixel; `move` is towards the sun."""
        pixels, scale = self._camera.project(points)
        if radii.any():
            reach = (radii * scale)[:, None]
            side = 1.0 if self._light.sun[0] > 0 else -1.0
            pixels = pixels + reach * (move * np.array([0.8 * side, -0.6]))
            ring = pixels[:, None, :] + reach[:, :, None] * size * _CIRCLE
            pixels = ring.reshape(-1, 2)
        # a picture's pixel centres are at whole numbers, so the finer one is moved by half a step
        fine = ((pixels + 0.5) * density - 0.5).astype(np.float32)
        hull = cv2.convexHull(fine)
        return np.asarray(np.round(hull * (1 << _SHIFT)), np.int32)

    def graded(self) -> Image:
        """The picture at its final size, in this light, a little darker at the corners."""
        small = cv2.resize(self._image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        across = np.linspace(-1, 1, WIDTH, dtype=np.float32) ** 2
        down = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None] ** 2
        vignette = 1 - 0.07 * (across + down)
        gains = np.array(self._light.gains(), np.float32)
        return np.asarray(np.clip(small * vignette[..., None] * gains, 0, 255), np.uint8)

    def numbered(self) -> Image:
        """Instance numbers at the final size."""
        return np.asarray(
            cv2.resize(self._ids, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8
        )


_TUBE = ((0.80, 1.0, 0.0), (0.97, 0.82, 0.16), (1.08, 0.45, 0.38))
"""How a round solid is shaded: brightness, share of the radius, shift towards the sun."""


def _fill(image: Image, points: NDArray[np.int32], colour: Colour | float) -> None:
    cv2.fillConvexPoly(image, points, colour, cv2.LINE_AA, _SHIFT)
