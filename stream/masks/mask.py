"""The mask of one instance or zone: a value that knows its frame's size and its runs of ones."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stream.masks import rle, runs
from stream.masks.runs import Box, Edges, Figures

_MOST_PIXELS = 2**31 - 1
"""Positions are int32."""


class Mask:
    """Which pixels of a frame belong to something. Immutable; equal when the pixels are equal.

    ``size`` is (height, width) of the frame. ``edges`` are the boundaries of its runs of ones, as
    `stream.masks.runs` has them: an int32 array of even length, strictly ascending, read-only.
    Holes, separate parts and the empty mask are all kept as they are.
    """

    __slots__ = ("_corners", "_counts", "_edges", "_figures", "_size")

    _corners: NDArray[np.float64] | None
    _counts: str | None
    _edges: Edges
    _figures: Figures | None
    _size: tuple[int, int]

    def __init__(self) -> None:
        raise TypeError("make a Mask by from_edges, from_bitmap, from_counts, from_polygon, whole")

    @classmethod
    def _of(cls, size: tuple[int, int], edges: Edges) -> Self:
        mask = object.__new__(cls)
        edges.setflags(write=False)
        mask._size, mask._edges = size, edges
        mask._counts, mask._figures, mask._corners = None, None, None
        return mask

    @classmethod
    def from_edges(cls, size: tuple[int, int], edges: ArrayLike) -> Self:
        """From run boundaries ``[start0, end0, …]``: ascending, within 0…height·width.

        Empty runs are dropped and touching ones joined. Raises ValueError for anything else.
        """
        pixels = _pixels(size)
        given = np.asarray(edges)
        if given.size == 0:
            return cls._of(size, np.empty(0, np.int32))
        if given.ndim != 1 or given.size % 2 or given.dtype.kind not in "iu":
            raise ValueError(
                f"edges: {given.dtype} of shape {given.shape}; allowed are integers in pairs"
            )
        if given.min() < 0 or given.max() > pixels:
            raise ValueError(f"edges: {given.min()} to {given.max()}; allowed is 0 to {pixels}")
        if np.any(given[1:] < given[:-1]):
            at = int(np.argmax(given[1:] < given[:-1]))
            raise ValueError(f"edges: {given[at + 1]} after {given[at]}; they must ascend")
        return cls._of(size, runs.without_pairs(given.astype(np.int32)))

    @classmethod
    def from_bitmap(cls, size: tuple[int, int], bitmap: NDArray[np.bool_], x: int, y: int) -> Self:
        """From a crop, bool of shape (rows, columns), whose top left pixel is ``(x, y)``.

        Raises ValueError where it is not bool, not flat, or reaches out of the frame.
        """
        _pixels(size)
        if bitmap.ndim != 2 or bitmap.dtype != np.bool_:
            raise ValueError(
                f"bitmap: {bitmap.dtype} of shape {bitmap.shape}; allowed is bool (rows, columns)"
            )
        height, width = size
        rows, columns = bitmap.shape
        if x < 0 or y < 0 or x + columns > width or y + rows > height:
            raise ValueError(
                f"bitmap: {rows}x{columns} at x={x}, y={y} reaches out of {height}x{width}"
            )
        return cls._of(size, runs.of_bitmap(bitmap, height, x, y))

    @classmethod
    def from_counts(cls, size: tuple[int, int], counts: str) -> Self:
        """From a compressed COCO string. Raises ValueError, saying what is wrong with it."""
        return cls._of(size, rle.decode(_pixels(size), counts))

    @classmethod
    def from_polygon(cls, size: tuple[int, int], points_px: ArrayLike) -> Self:
        """The pixels whose centre lies inside a polygon, shape (n, 2) of x and y in pixels.

        Pixel ``(x, y)`` covers ``x``…``x + 1`` and ``y``…``y + 1``. What lies outside the frame is
        cut off; a polygon that crosses itself fills by the even-odd rule. Polygons that share a
        side share no pixel. Raises ValueError for less than three points and for points that are
        not finite or beyond ±2³¹.
        """
        _pixels(size)
        points = np.asarray(points_px, np.float64)
        if points.ndim != 2 or points.shape[0] < 3 or points.shape[1] != 2:
            raise ValueError(f"polygon: shape {points.shape}; allowed is (3 or more, 2)")
        if not np.all(np.abs(points) <= 2.0**31):
            raise ValueError("polygon: a point is not finite, or beyond ±2³¹")
        return cls._of(size, runs.of_polygon(points, *size))

    @classmethod
    def whole(cls, size: tuple[int, int]) -> Self:
        """Every pixel of the frame."""
        return cls._of(size, np.array([0, _pixels(size)], np.int32))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame, in pixels."""
        return self._size

    @property
    def edges(self) -> Edges:
        """The run boundaries: int32, strictly ascending, read-only."""
        return self._edges

    @property
    def counts(self) -> str:
        """The compressed COCO string, to the byte what pycocotools writes. Made once."""
        if self._counts is None:
            (self._counts,) = rle.encode([self._edges], [self._size[0] * self._size[1]])
        return self._counts

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self._figures or self._measured()).area

    @property
    def box(self) -> Box:
        """``(x1, y1, x2, y2)``, tight, ``x2`` and ``y2`` exclusive; all 0 for the empty mask."""
        return (self._figures or self._measured()).box

    @property
    def contact(self) -> tuple[float, float]:
        """Where it stands: the middle of its lowest row, from first to last pixel.

        In frame coordinates, so a pixel's centre is at ``.5``. Raises ValueError when empty.
        """
        found = self._measured().contact
        if found is None:
            raise ValueError("an empty mask stands nowhere")
        return found

    def before(self, positions: NDArray[np.int32]) -> NDArray[np.float64]:
        """How many of its pixels lie before each position of the frame, column by column."""
        if self._corners is None:
            self._corners = runs.corners(self._edges)
        return runs.before(self._edges, self._corners, positions)

    def _measured(self) -> Figures:
        if self._figures is None:
            measure([self])
        assert self._figures is not None
        return self._figures

    @property
    def centre(self) -> tuple[float, float]:
        """The mean position of its pixels (centre of mass).

        In frame coordinates, so a pixel's centre is at ``.5``. Raises ValueError when empty.
        """
        if self._edges.size == 0:
            raise ValueError("an empty mask has no centre")
        return runs.centre(runs.by_column(self._edges, self._size[0]))

    def bitmap(self) -> NDArray[np.bool_]:
        """All pixels of the frame: bool, shape (height, width), in column-major memory order."""
        return runs.to_bitmap(self._edges, *self._size)

    def crop(self) -> NDArray[np.bool_]:
        """The pixels inside ``box``: bool, shape (y2 - y1, x2 - x1), column-major."""
        x1, y1, x2, y2 = self.box
        edges = runs.within(self._edges, self.box, self._size[0])
        return runs.to_bitmap(edges, y2 - y1, x2 - x1)

    def to_coco(self) -> dict[str, Any]:
        """``{"size": [height, width], "counts": "…"}``, as pycocotools and the wire have it."""
        return {"size": list(self._size), "counts": self.counts}

    def to_polygons(self) -> list[NDArray[np.int32]]:
        """The outlines, exact: rings of shape (n, 2) along pixel borders, in frame coordinates.

        Outer outlines and those of holes; filling them all by the even-odd rule gives the mask.
        """
        x1, y1, _, _ = self.box
        return runs.outlines(self.crop(), x1, y1) if self._edges.size else []

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self._size == other._size and np.array_equal(self._edges, other._edges)

    def __hash__(self) -> int:
        return hash((self._size, self._edges.tobytes()))

    def __repr__(self) -> str:
        return f"Mask(size={self._size}, box={self.box}, area={self.area})"


def pack(masks: Sequence[Mask]) -> None:
    """Make the ``counts`` of all masks in one pass, many times cheaper than one by one."""
    fresh = [mask for mask in masks if mask._counts is None]
    texts = rle.encode([m._edges for m in fresh], [m._size[0] * m._size[1] for m in fresh])
    for mask, text in zip(fresh, texts, strict=True):
        mask._counts = text


def measure(masks: Sequence[Mask]) -> None:
    """Find area, box and contact of masks of one frame in one pass, many times cheaper than one
    by one. They are kept.
    """
    fresh = [mask for mask in masks if mask._figures is None]
    for mask in fresh:
        if not mask._edges.size:
            mask._figures = Figures(0, (0, 0, 0, 0), None)
    full = [mask for mask in fresh if mask._figures is None]
    if full:
        found = runs.figures([mask._edges for mask in full], full[0]._size[0])
        for mask, figures in zip(full, found, strict=True):
            mask._figures = figures


def _pixels(size: tuple[int, int]) -> int:
    height, width = size
    if height < 1 or width < 1 or height * width > _MOST_PIXELS:
        raise ValueError(f"size: {height}x{width}; allowed is 1x1 to {_MOST_PIXELS} pixels")
    return height * width
