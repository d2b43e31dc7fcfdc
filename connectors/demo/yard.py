"""The empty yard: which surfaces it has, where its doors and its loading zone are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from connectors.demo import paint
from connectors.demo.geometry import HEIGHT, WIDTH, Camera, Colour, FloatArray, scaled
from connectors.demo.looks import Looks, colour
from connectors.demo.render import Backdrop

_HALF = 16.0  # metres of ground and wall painted to either side
_NEAR = 5.5  # metres from the camera where the painted ground begins
_TALL = 7.0  # metres of wall and sky painted

Quad = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """Something in the wall: 'shutter', 'doorway', 'leaf' or 'window'; metres along the wall."""

    kind: str
    left: float
    width: float
    height: float
    paint: Colour


@dataclass(frozen=True, slots=True)
class Yard:
    """Everything that does not move. Distances in metres; `zone` is four ground points or none."""

    ground: str
    wall: str
    wall_paint: Colour
    wall_at: float
    wall_height: float
    openings: Sequence[Opening]
    zone: Quad
    marking: Colour
    tone: float = 1.0
    seed: int = 0

    def backdrop(self, camera: Camera, density: int) -> Backdrop:
        """Paint the yard as `camera` sees it, `density` times finer than the picture."""
        rng = np.random.default_rng(self.seed)
        ppm = 40.0 * density
        ground, ground_map = self._ground(camera, rng, ppm)
        wall, wall_map = self._wall(camera, rng, ppm)
        image = _seen(ground, ground_map, ppm, density)
        above = _seen(wall, wall_map, ppm, density)
        is_wall = _covered(wall_map, ((0, 0), (2 * _HALF, _TALL)), density)
        image[is_wall] = above[is_wall]
        self._seam(image, camera, density)
        holes = np.zeros_like(is_wall)
        for hole in self.openings:
            if hole.kind == "doorway":
                left = hole.left + _HALF
                corners = ((left, _TALL - hole.height), (left + hole.width, _TALL))
                holes |= _covered(wall_map, corners, density)
        return Backdrop(np.clip(image, 0, 255).astype(np.uint8), ~is_wall, holes, self.wall_at)

    def _ground(
        self, camera: Camera, rng: np.random.Generator, ppm: float
    ) -> tuple[paint.Surface, FloatArray]:
        tone, work = paint.GROUNDS[self.ground]
        depth = self.wall_at - _NEAR
        sheet = paint.sheet(2 * _HALF, depth, ppm, scaled(tone, self.tone), rng)
        work(sheet)
        if self.zone:
            self._hatch(sheet)
        origin = np.array([-_HALF, self.wall_at, 0.0])
        return sheet.image, camera.homography(origin, np.array([1.0, 0, 0]), np.array([0, -1.0, 0]))

    def _hatch(self, on: paint.Sheet) -> None:
        """The loading zone: a border and diagonal stripes, worn a little."""
        corners = np.array([(x + _HALF, self.wall_at - y) for x, y in self.zone]) * on.ppm
        inside = np.zeros(on.image.shape[:2], np.uint8)
        cv2.fillPoly(inside, [corners.astype(np.int32)], 255)
        rows, columns = np.nonzero(inside)
        stripe = ((rows + columns) / on.ppm) % 1.1 < 0.26
        worn = on.rng.random(len(rows)) * 0.25 + 0.35
        alpha = np.zeros(on.image.shape[:2], np.float32)
        alpha[rows, columns] = 0.10 + stripe * worn
        border = np.zeros_like(alpha)
        width = round(0.16 * on.ppm)
        cv2.polylines(border, [corners.astype(np.int32)], True, 0.85, width, cv2.LINE_AA)
        alpha = cv2.GaussianBlur(np.maximum(alpha, border), (0, 0), 0.012 * on.ppm)[..., None]
        on.image[:] = on.image * (1 - alpha) + np.array(self.marking, np.float32) * 0.92 * alpha

    def _wall(
        self, camera: Camera, rng: np.random.Generator, ppm: float
    ) -> tuple[paint.Surface, FloatArray]:
        sheet = paint.sheet(2 * _HALF, _TALL, ppm, self.wall_paint, rng)
        eave = _TALL - self.wall_height
        paint.sky(sheet, eave)
        face = paint.sheet(2 * _HALF, self.wall_height, ppm, self.wall_paint, rng)
        paint.WALLS[self.wall](face)
        for hole in self.openings:
            _open(face, hole)
        sheet.image[-face.image.shape[0] :] = face.image
        if self.wall != "fence":
            sheet.box(0, eave - 0.16, 2 * _HALF, eave + 0.1, scaled(self.wall_paint, 0.5))
        origin = np.array([-_HALF, self.wall_at, _TALL])
        return sheet.image, camera.homography(origin, np.array([1.0, 0, 0]), np.array([0, 0, -1.0]))

    def _seam(self, image: paint.Surface, camera: Camera, density: int) -> None:
        """Soft dark along the foot of the wall, where little skylight comes."""
        foot = camera.project(np.array([[0.0, self.wall_at, 0.0]]))[0][0, 1] * density
        rows = np.arange(image.shape[0], dtype=np.float32) - np.float32(foot)
        dark = np.exp(-np.abs(rows) / np.where(rows > 0, 7 * density, 3 * density))
        image *= (1 - 0.28 * dark)[:, None, None].astype(np.float32)


def _open(face: paint.Sheet, hole: Opening) -> None:
    left = hole.left + _HALF
    if hole.kind == "shutter":
        paint.shutter(face, left, hole.width, hole.height, hole.paint)
    elif hole.kind == "doorway":
        paint.doorway(face, left, hole.width, hole.height, hole.paint)
    elif hole.kind == "leaf":
        paint.leaf(face, left, hole.paint)
    else:
        paint.window(face, left, hole.width, hole.paint)


def _to_pixels(matrix: FloatArray, density: int) -> FloatArray:
    # the map speaks of pixel centres; half a step is made up for as in the renderer
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return np.asarray(np.linalg.inv(half) @ np.diag([density, density, 1.0]) @ half @ matrix)


def _seen(image: paint.Surface, matrix: FloatArray, ppm: float, density: int) -> paint.Surface:
    size = (WIDTH * density, HEIGHT * density)
    whole = _to_pixels(matrix, density) @ np.diag([1 / ppm, 1 / ppm, 1.0])
    return np.asarray(cv2.warpPerspective(image, whole, size, flags=cv2.INTER_AREA), np.float32)


def _covered(matrix: FloatArray, corners: Quad, density: int) -> NDArray[np.bool_]:
    """The pixels of a rectangle (top left, bottom right) in metres on a mapped plane."""
    (x0, y0), (x1, y1) = corners
    plane = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
    pixels = cv2.perspectiveTransform(plane, _to_pixels(matrix, density))[0]
    mask = np.zeros((HEIGHT * density, WIDTH * density), np.uint8)
    cv2.fillConvexPoly(mask, np.round(pixels).astype(np.int32), 1)
    return mask.astype(bool)


def drawn_yard(rng: np.random.Generator, looks: Looks) -> Yard:
    """A random yard of one family."""

    def pick(codes: tuple[str, ...]) -> Colour:
        return colour(codes[rng.integers(len(codes))])

    wall = str(rng.choice(looks.walls))
    fence = wall == "fence"
    return Yard(
        ground=str(rng.choice(looks.grounds)),
        wall=wall,
        wall_paint=pick(looks.wall_paints),
        wall_at=float(rng.uniform(18, 24)),
        wall_height=float(rng.uniform(1.8, 2.4) if fence else rng.uniform(3.4, 6.5)),
        openings=() if fence else _drawn_openings(rng, looks),
        zone=_drawn_zone(rng),
        marking=pick(looks.markings),
        tone=float(rng.uniform(0.8, 1.15)),
        seed=int(rng.integers(2**31)),
    )


def _drawn_openings(rng: np.random.Generator, looks: Looks) -> list[Opening]:
    holes: list[Opening] = []
    left = -_HALF + float(rng.uniform(0, 2))
    while left < _HALF - 4:
        kind = str(rng.choice(("shutter", "doorway", "leaf", "window", "window")))
        width = float(rng.uniform(2.6, 3.6)) if kind in {"shutter", "doorway"} else 1.3
        paint_code = looks.doors[rng.integers(len(looks.doors))]
        holes.append(Opening(kind, left, width, float(rng.uniform(2.7, 3.2)), colour(paint_code)))
        left += width + float(rng.uniform(0.8, 4))
    return holes


def _drawn_zone(rng: np.random.Generator) -> Quad:
    if rng.random() < 0.35:
        return ()
    x, y = rng.uniform(-6, 3), rng.uniform(8, 13)
    width, depth = rng.uniform(2.5, 5), rng.uniform(2.5, 5)
    return ((x, y), (x + width, y), (x + width, y + depth), (x, y + depth))
