"""Lines, areas and words on a picture, with OpenCV."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.masks import Mask
from stream.types import Pixels, Point

Colour = tuple[int, int, int]
"""BGR, as pixels are."""

PALETTE: tuple[Colour, ...] = (
    (240, 201, 76),
    (102, 209, 255),
    (255, 136, 179),
    (130, 229, 122),
    (90, 159, 255),
    (199, 143, 255),
    (197, 219, 61),
    (95, 234, 220),
    (255, 162, 122),
    (176, 194, 255),
    (255, 232, 165),
    (232, 162, 214),
)
"""The page's colours, in its order (web/static/identities.js); red is left to alerts."""

ALARM: Colour = (108, 93, 255)
CALM: Colour = (235, 235, 235)
INK: Colour = (17, 12, 9)
WHITE: Colour = (249, 245, 242)
DIM: Colour = (194, 180, 169)

Weight = Literal["regular", "bold"]
Word = tuple[str, Colour, Weight]
Points = NDArray[np.float64]

_WEIGHTS = {"regular": 400, "bold": 600}
_FRACTION_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""


class Pen:
    """Draws on ``picture``, in place. Lines and letters grow with its height."""

    def __init__(self, picture: Pixels) -> None:
        self.picture = picture
        self._height: int = picture.shape[0]
        self._width: int = picture.shape[1]
        self._line_px: int = max(1, self._height // 450)
        self._text_px: int = max(11, self._height // 42)
        self._chips: list[tuple[int, int, int]] = []  # x, y, width

    @property
    def chip_px(self) -> int:
        """Height of a `chip`."""
        return self._text_px + self._text_px // 2 + 2

    def at(self, x: float, y: float) -> Point:
        """Where a point given in fractions of width and height lies, in pixels."""
        return x * self._width, y * self._height

    def mask(self, mask: Mask, colour: Colour) -> None:
        """Tint the pixels of ``mask``, and those only, and draw a line around them."""
        if mask.area == 0:
            return
        x1, y1, x2, y2 = mask.box
        part = self.picture[y1:y2, x1:x2]
        inside = mask.crop()
        part[inside] = (part[inside] * 0.62 + np.array(colour) * 0.38).astype(np.uint8)
        rings = [_through_middles(ring) for ring in mask.to_polygons()]
        self._lines(rings, INK, self._line_px + 2, opacity=0.45)
        self._lines(rings, colour, self._line_px, opacity=1)

    def area(
        self, corners: Sequence[Point], colour: Colour, *, opacity: float, line_opacity: float
    ) -> None:
        """Tint a polygon and draw its side lines."""
        points = np.array(corners, np.float64)
        fixed = [_fixed(points)]

        def fill(picture: Pixels) -> None:
            cv2.fillPoly(picture, fixed, colour, cv2.LINE_AA, _FRACTION_BITS)

        self._blend([points], 1, fill, opacity)
        self._lines([points], colour, self._line_px, opacity=line_opacity)

    def line(self, start: Point, end: Point, colour: Colour) -> None:
        """A straight line, twice as wide as others, with a dark border."""
        points = np.array([start, end], np.float64)
        width_px = 2 * self._line_px
        self._lines([points], INK, width_px + 2, opacity=0.45)
        self._lines([points], colour, width_px, opacity=1)

    def spot(self, at: Point, colour: Colour) -> None:
        """A disc, a little more than half as wide as a letter is high."""
        centre = [round((each - 0.5) * 2**_FRACTION_BITS) for each in at]
        radius = round(self._text_px * 0.3 * 2**_FRACTION_BITS)
        cv2.circle(self.picture, centre, radius, colour, -1, cv2.LINE_AA, _FRACTION_BITS)

    def arrow(self, at: Point, towards: tuple[float, float], colour: Colour) -> None:
        """An arrow that begins at ``at`` and goes along ``towards``, a vector of length 1."""
        along = np.array(towards) * self._text_px
        across = along[::-1] * (1, -1)
        tip = np.array(at) + 2.2 * along
        head = np.array([tip, tip - along + 0.55 * across, tip - along - 0.55 * across])
        self.line(at, tuple(tip - 0.8 * along), colour)
        cv2.fillPoly(self.picture, [_fixed(head)], colour, cv2.LINE_AA, _FRACTION_BITS)

    def chip(
        self, at: Point, words: Sequence[Word], ground: Colour, *, dot: Colour | None = None
    ) -> None:
        """Words on a rounded ground whose corner is ``at``.

        Where it would cover one drawn before, it moves up; it stays inside the picture.
        """
        space = round(self._text_px * 0.5)
        dot_px = 0 if dot is None else round(self._text_px * 0.6) + space
        widths = [self._width_of(text, weight) + space if text else 0 for text, _, weight in words]
        width = dot_px + sum(widths) + space
        x = round(max(2, min(at[0], self._width - width - 2)))
        y = self._free(x, round(min(at[1], self._height - self.chip_px - 2)), width)
        self._ground(x, y, width, ground)
        x += space
        if dot is not None:
            self.spot((x + (dot_px - space) / 2, y + self.chip_px / 2), dot)
        x += dot_px
        for word, width in zip(words, widths, strict=True):
            self._write((x, y + round(self.chip_px * 0.7)), *word)
            x += width

    def _free(self, x: int, y: int, width: int) -> int:
        """The first height from ``y`` up at which nothing is covered, or the top."""
        beside = [cy for cx, cy, cw in self._chips if cx < x + width and x < cx + cw]
        for taken in sorted(beside, reverse=True):
            if abs(taken - y) < self.chip_px:
                y = taken - self.chip_px - 2
        y = max(2, y)
        self._chips.append((x, y, width))
        return y

    def _write(self, at: tuple[int, int], text: str, colour: Colour, weight: Weight) -> None:
        font, size_px = _font(), self._text_px
        cv2.putText(self.picture, text, at, colour, font, size_px, _WEIGHTS[weight])

    def _width_of(self, text: str, weight: Weight) -> int:
        size = (self._width, self._height)
        font, size_px = _font(), self._text_px
        _, _, width, _ = cv2.getTextSize(size, text, (0, 0), font, size_px, _WEIGHTS[weight])
        return int(width)

    def _ground(self, x: int, y: int, width: int, colour: Colour) -> None:
        part = self.picture[y : y + self.chip_px, x : x + width]
        if part.size:
            weight = _rounded(*part.shape[:2])[:, :, None] * 0.82
            part[:] = (part * (1 - weight) + np.array(colour) * weight).astype(np.uint8)

    def _lines(
        self, rings: Sequence[Points], colour: Colour, width_px: int, *, opacity: float
    ) -> None:
        fixed = [_fixed(ring) for ring in rings]

        def lines(picture: Pixels) -> None:
            cv2.polylines(picture, fixed, True, colour, width_px, cv2.LINE_AA, _FRACTION_BITS)

        self._blend(rings, width_px, lines, opacity)

    def _blend(
        self,
        shapes: Sequence[Points],
        margin_px: int,
        paint: Callable[[Pixels], None],
        opacity: float,
    ) -> None:
        """Let ``paint`` work on a copy and mix it in; costs the shapes' box, not the picture."""
        if opacity == 1:
            paint(self.picture)
            return
        points = np.concatenate(shapes)
        x1, y1 = np.maximum(np.floor(points.min(axis=0)).astype(int) - margin_px, 0)
        x2, y2 = np.ceil(points.max(axis=0)).astype(int) + margin_px
        part = self.picture[y1:y2, x1:x2]
        before = part.copy()
        paint(self.picture)
        cv2.addWeighted(part, opacity, before, 1 - opacity, 0, part)


def _through_middles(ring: NDArray[np.int32]) -> Points:
    """A ring along pixel borders, its corners cut by half a pixel: slopes lose their stairs."""
    corners = ring.astype(np.float64)
    sides = np.roll(corners, -1, axis=0) - corners
    half = sides / (2 * np.abs(sides).sum(axis=1, keepdims=True))
    points: Points = np.stack([corners + half, corners + sides - half], axis=1).reshape(-1, 2)
    return points


def _fixed(points: Points) -> NDArray[np.int32]:
    """To OpenCV's fixed point, where a pixel's centre and not its corner is whole."""
    fixed: NDArray[np.int32] = np.round((points - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    return fixed


def _rounded(height: int, width: int) -> NDArray[np.float64]:
    """A rectangle with round corners: 1 inside, 0 outside."""
    radius = min(height, width) // 4
    shape = np.zeros((height, width), np.uint8)
    shape[:, radius : width - radius] = 255
    shape[radius : height - radius] = 255
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(shape, (x, y), radius, 255, -1, cv2.LINE_AA)
    return shape / 255


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")
