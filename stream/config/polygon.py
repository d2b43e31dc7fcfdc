"""Whether a polygon encloses one area."""

from itertools import combinations

from stream.types import Point

_NOTHING = 1e-12
"""A cross product of fractions below this is rounding: 1e-6 of a 4K picture's pixel."""


def polygon_fault(corners: tuple[Point, ...]) -> str | None:
    """What is wrong with a polygon's corners (in order, not closed), or None; corners count from 0.

    Sides may share only the corner between neighbours: no two cross, touch or fold back.
    """
    repeated = next((j for j, corner in enumerate(corners) if corner in corners[:j]), None)
    if repeated is not None:
        return f"corners {corners.index(corners[repeated])} and {repeated} are the same"
    if all(_side_of(corners[0], corners[1], corner) == 0 for corner in corners):
        return "the polygon has no area"
    count = len(corners)
    sides = [(corners[i], corners[(i + 1) % count]) for i in range(count)]
    for i, j in combinations(range(count), 2):
        if j == i + 1 or (i == 0 and j == count - 1):
            first, second = (i, j) if j == i + 1 else (j, i)
            if _folds_back(sides[first][0], *sides[second]):
                return f"sides {i} and {j} fold back on each other"
        elif _meet(sides[i], sides[j]):
            return f"sides {i} and {j} cross: the polygon crosses itself"
    return None


def _side_of(a: Point, b: Point, c: Point) -> float:
    """Above 0 where c lies to one side of the line through a and b, below 0 on the other."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return 0.0 if abs(cross) < _NOTHING else cross


def _folds_back(a: Point, b: Point, c: Point) -> bool:
    along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _side_of(a, b, c) == 0 and along < 0


def _meet(one: tuple[Point, Point], two: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = one, two
    straddles = _side_of(a, b, c) * _side_of(a, b, d) <= 0
    straddled = _side_of(c, d, a) * _side_of(c, d, b) <= 0
    return (
        straddles
        and straddled
        and all(
            min(a[k], b[k]) <= max(c[k], d[k]) and min(c[k], d[k]) <= max(a[k], b[k])
            for k in (0, 1)
        )
    )
