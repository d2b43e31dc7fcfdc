"""Masks against pycocotools, and against plain bitmaps where pycocotools has no word for it."""

import math
import pickle
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy.spatial import cKDTree

from stream.masks import (
    Mask,
    box_distances,
    difference,
    distance,
    intersection,
    iou,
    iou_matrix,
    measure,
    overlap,
    overlaps,
    pack,
    union,
)

Bitmap = NDArray[np.bool_]
Size = tuple[int, int]

exactly = settings(derandomize=True, deadline=None, max_examples=100)

sizes = st.tuples(st.integers(1, 12), st.integers(1, 12)) | st.sampled_from(
    [(1, 1), (1, 40), (40, 1), (37, 53)]
)


@st.composite
def bitmaps_of(draw: st.DrawFn, size: Size) -> Bitmap:
    """Boxes put on and holes cut out at random, whole columns, noise, all, or nothing."""
    height, width = size
    bitmap = np.zeros(size, np.bool_)
    for value in draw(st.lists(st.booleans(), max_size=6)):
        y1, y2 = sorted(draw(st.tuples(st.integers(0, height), st.integers(0, height))))
        x1, x2 = sorted(draw(st.tuples(st.integers(0, width), st.integers(0, width))))
        bitmap[y1:y2, x1:x2] = value
    if draw(st.booleans()):
        bitmap[:, draw(st.integers(0, width - 1)) :] ^= True
    if draw(st.booleans()):
        bitmap ^= draw(noise(size))
    return bitmap


def noise(size: Size) -> st.SearchStrategy[Bitmap]:
    pixels = size[0] * size[1]
    return st.integers(0, 2**pixels - 1).map(
        lambda bits: np.array([bits >> i & 1 for i in range(pixels)], np.bool_).reshape(size)
    )


@st.composite
def bitmaps(draw: st.DrawFn, count: int = 1) -> list[Bitmap]:
    """So many bitmaps of one size."""
    size = draw(sizes)
    return [draw(bitmaps_of(size)) for _ in range(count)]


def mask_of(bitmap: Bitmap) -> Mask:
    return Mask.from_bitmap(bitmap.shape, bitmap, 0, 0)


def coco_of(bitmap: Bitmap) -> dict[str, Any]:
    encoded: dict[str, Any] = coco.encode(np.asfortranarray(bitmap, np.uint8))
    return encoded


# --- one mask ------------------------------------------------------------------------------------


@exactly
@given(bitmaps())
def test_a_mask_has_the_area_box_and_string_that_pycocotools_gives(given: list[Bitmap]) -> None:
    (bitmap,) = given
    mask, reference = mask_of(bitmap), coco_of(bitmap)
    x1, y1, x2, y2 = mask.box
    assert mask.area == coco.area(reference)
    assert [x1, y1, x2 - x1, y2 - y1] == coco.toBbox(reference).tolist()
    assert mask.counts.encode() == reference["counts"]
    assert mask.to_coco() == {"size": reference["size"], "counts": reference["counts"].decode()}


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own, by numpy 2
@exactly
@given(bitmaps())
def test_a_mask_keeps_holes_and_separate_parts(given: list[Bitmap]) -> None:
    (bitmap,) = given
    mask = mask_of(bitmap)
    x1, y1, x2, y2 = mask.box
    assert np.array_equal(mask.bitmap(), bitmap)
    assert np.array_equal(mask.crop(), bitmap[y1:y2, x1:x2])
    assert np.array_equal(coco.decode(mask.to_coco()), bitmap)


@exactly
@given(bitmaps())
def test_every_way_to_the_same_pixels_gives_an_equal_mask(given: list[Bitmap]) -> None:
    mask = mask_of(given[0])
    again = [
        Mask.from_counts(mask.size, mask.counts),
        Mask.from_edges(mask.size, mask.edges),
        Mask.from_bitmap(mask.size, mask.crop(), *mask.box[:2]),
        pickle.loads(pickle.dumps(mask)),
    ]
    assert all(other == mask and hash(other) == hash(mask) for other in again)


@exactly
@given(st.data())
def test_a_crop_lands_at_its_offset(data: st.DataObject) -> None:
    height, width = data.draw(sizes)
    y1, y2 = sorted(data.draw(st.tuples(st.integers(0, height), st.integers(0, height))))
    x1, x2 = sorted(data.draw(st.tuples(st.integers(0, width), st.integers(0, width))))
    crop = data.draw(noise((y2 - y1, x2 - x1)))
    frame = np.zeros((height, width), np.bool_)
    frame[y1:y2, x1:x2] = crop
    assert np.array_equal(Mask.from_bitmap((height, width), crop, x1, y1).bitmap(), frame)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_crop_may_be_a_strided_view(order: Any) -> None:
    bitmap = np.zeros((9, 12), np.bool_, order=order)
    bitmap[2:7, 4:8] = True
    for view in (bitmap[::2, 1::3], bitmap.T, bitmap[1:, 2:-1], np.flip(bitmap)):
        assert np.array_equal(mask_of(view).bitmap(), view)


@exactly
@given(bitmaps())
def test_contact_is_the_middle_of_the_lowest_row(given: list[Bitmap]) -> None:
    (bitmap,) = given
    mask = mask_of(bitmap)
    if not bitmap.any():
        with pytest.raises(ValueError, match="empty mask"):
            _ = mask.contact
        return
    rows, columns = np.nonzero(bitmap)
    lowest = columns[rows == rows.max()]
    assert mask.contact == ((lowest.min() + lowest.max() + 1) / 2, rows.max() + 0.5)


def test_the_whole_frame_is_one_run() -> None:
    mask = Mask.whole((1080, 1920))
    assert mask.edges.tolist() == [0, 1080 * 1920]
    assert (mask.area, mask.box) == (1080 * 1920, (0, 0, 1920, 1080))
    assert mask.bitmap().all()


def test_the_empty_mask_has_no_area_box_or_outline() -> None:
    mask = Mask.from_edges((4, 6), [])
    assert (mask.area, mask.box, mask.to_polygons()) == (0, (0, 0, 0, 0), [])
    assert mask.crop().shape == (0, 0)
    assert not mask.bitmap().any()


def test_touching_columns_are_one_run() -> None:
    bitmap = np.zeros((5, 9), np.bool_)
    bitmap[:, 2:6] = True
    assert mask_of(bitmap).edges.tolist() == [10, 30]


def test_a_mask_cannot_be_changed() -> None:
    mask = Mask.from_edges((2, 2), [1, 3])
    with pytest.raises(ValueError, match="read-only"):
        mask.edges[0] = 0
    with pytest.raises(AttributeError):
        mask.size = (1, 1)  # type: ignore[misc]


def test_the_callers_edges_stay_the_callers() -> None:
    edges = np.array([1, 3], np.int32)
    mask = Mask.from_edges((2, 2), edges)
    edges[0] = 0
    assert mask.edges.tolist() == [1, 3]


def test_masks_of_different_frames_differ() -> None:
    assert Mask.whole((2, 3)) != Mask.whole((3, 2))
    assert Mask.whole((2, 3)) != "Mask"


# --- several masks -------------------------------------------------------------------------------


@exactly
@given(bitmaps(count=2))
def test_iou_and_overlap_equal_pycocotools(given: list[Bitmap]) -> None:
    a, b = map(mask_of, given)
    mine, other = map(coco_of, given)
    assert intersection(a, b) == intersection(b, a) == np.sum(given[0] & given[1])
    if a.area or b.area:
        assert iou(a, b) == coco.iou([mine], [other], [0])[0, 0]
    if a.area:
        assert overlap(a, b) == coco.iou([mine], [other], [1])[0, 0]


@exactly
@given(bitmaps(count=5))
def test_the_overlaps_of_many_masks_with_a_zone_equal_pycocotools(given: list[Bitmap]) -> None:
    zone, *masks = map(mask_of, given)
    in_zone = coco.iou([coco_of(each) for each in given[1:]], [coco_of(given[0])], [1])[:, 0]
    expected = [part if mask.area else 0.0 for part, mask in zip(in_zone, masks, strict=True)]
    parts = overlaps(masks, zone)
    assert parts.dtype == np.float64
    assert parts.tolist() == expected == [overlap(mask, zone) for mask in masks]


def test_nothing_overlaps_with_an_empty_mask() -> None:
    empty, whole = Mask.from_edges((3, 3), []), Mask.whole((3, 3))
    assert overlap(empty, whole) == overlap(whole, empty) == 0.0
    assert overlaps([empty, whole], whole).tolist() == [0.0, 1.0]
    assert overlaps([empty, whole], empty).tolist() == [0.0, 0.0]
    assert overlaps([], whole).shape == (0,)
    assert iou(empty, empty) == iou(empty, whole) == 0.0
    assert iou_matrix([empty, whole], [empty, whole]).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@exactly
@given(bitmaps(count=5), st.integers(0, 5))
def test_the_iou_matrix_holds_the_iou_of_each_pair(given: list[Bitmap], cut: int) -> None:
    masks = [mask_of(bitmap) for bitmap in given]
    a, b = masks[:cut], masks[cut:]
    matrix = iou_matrix(a, b)
    assert matrix.shape == (len(a), len(b))
    assert matrix.tolist() == [[iou(one, other) for other in b] for one in a]


@exactly
@given(bitmaps(count=3))
def test_a_union_has_what_any_of_them_has(given: list[Bitmap]) -> None:
    together = union([mask_of(bitmap) for bitmap in given])
    assert together == mask_of(given[0] | given[1] | given[2])


@exactly
@given(bitmaps(count=2))
def test_a_difference_has_what_only_the_first_has(given: list[Bitmap]) -> None:
    one, other = given
    assert difference(mask_of(one), mask_of(other)) == mask_of(one & ~other)


def test_the_halves_of_two_tiles_join_to_one_mask() -> None:
    size, tile = (6, 10), np.ones((6, 5), np.bool_)
    halves = [Mask.from_bitmap(size, tile, x, 0) for x in (0, 5)]
    assert union(halves) == Mask.whole(size)


@exactly
@given(st.lists(bitmaps(), max_size=5))
def test_packing_many_gives_each_the_string_it_has_alone(given: list[list[Bitmap]]) -> None:
    masks = [mask_of(bitmap) for (bitmap,) in given]
    pack(masks)
    assert [m.counts.encode() for m in masks] == [coco_of(b)["counts"] for (b,) in given]


@exactly
@given(bitmaps(count=5))
def test_measuring_many_gives_each_the_figures_it_has_alone(given: list[Bitmap]) -> None:
    masks, alone = ([mask_of(bitmap) for bitmap in given] for _ in range(2))
    measure(masks)
    for mask, other in zip(masks, alone, strict=True):
        assert (mask.area, mask.box) == (other.area, other.box)
        assert mask.area == 0 or mask.contact == other.contact


def test_far_jumps_take_as_many_characters_as_pycocotools_gives_them() -> None:
    size = (30_000, 40_000)
    edges = [5, 7, 1_000_000_000, 1_000_000_001, 1_000_000_002, 1_199_999_000, 1_199_999_999]
    mask = Mask.from_edges(size, [*edges, 1_200_000_000])
    runs = np.diff([0, *mask.edges]).tolist()
    assert mask.counts.encode() == coco.frPyObjects({"size": size, "counts": runs}, *size)["counts"]
    assert Mask.from_counts(size, mask.counts) == mask


def least_of_all_pairs(a: Bitmap, b: Bitmap) -> float:
    one, other = (np.argwhere(bitmap) for bitmap in (a, b))
    if not len(one) or not len(other):
        return math.inf
    return math.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=2).min())


@exactly
@given(bitmaps(count=2))
def test_distance_is_the_least_of_all_pairs_of_pixels(given: list[Bitmap]) -> None:
    a, b = map(mask_of, given)
    assert distance(a, b) == distance(b, a) == least_of_all_pairs(*given)


@exactly
@given(bitmaps(count=2), st.floats(0, 60) | st.integers(0, 3600).map(math.sqrt))
def test_distance_beyond_what_is_asked_for_is_infinite(given: list[Bitmap], most: float) -> None:
    exact = least_of_all_pairs(*given)
    expected = exact if exact <= most else math.inf
    one, other = given
    assert distance(mask_of(one), mask_of(other), within_px=most) == expected


@exactly
@given(bitmaps(count=5), st.integers(0, 5))
def test_boxes_are_never_further_apart_than_masks(given: list[Bitmap], cut: int) -> None:
    masks = [mask_of(bitmap) for bitmap in given]
    a, b = masks[:cut], masks[cut:]
    apart = box_distances(a, b)
    assert apart.shape == (len(a), len(b))
    exact = np.array([[distance(one, other) for other in b] for one in a]).reshape(apart.shape)
    assert np.all(apart <= exact * (1 + 1e-9))
    assert np.array_equal(np.isfinite(apart), np.isfinite(exact))


def test_masks_that_overlap_touch_by_a_side_or_by_a_corner_are_so_far_apart() -> None:
    first = np.zeros((4, 6), np.bool_)
    first[:2, :2] = True
    apart = [distance(mask_of(first), mask_of(np.roll(first, by, (0, 1)))) for by in
             ((1, 1), (0, 2), (2, 2), (0, 4))]  # fmt: skip
    assert apart == [0.0, 1.0, math.sqrt(2), 3.0]


def test_nothing_is_near_an_empty_mask() -> None:
    empty, whole = Mask.from_edges((3, 3), []), Mask.whole((3, 3))
    assert distance(empty, whole) == distance(whole, empty) == distance(empty, empty) == math.inf


@pytest.mark.parametrize("gap", [1, 7, 300])
def test_distance_of_two_bodies_in_a_large_picture(gap: int) -> None:
    """Two discs of 200 px across, whose centres lie on a slope: against all pairs of borders."""
    rows, columns = np.ogrid[:1080, :1920]
    a = (rows - 300) ** 2 + (columns - 400) ** 2 <= 100**2
    along = 201 + gap
    b = (rows - 300 - 0.6 * along) ** 2 + (columns - 400 - 0.8 * along) ** 2 <= 100**2
    expected = float(np.min(cKDTree(np.argwhere(a)).query(np.argwhere(b))[0]))
    assert distance(mask_of(a), mask_of(b)) == pytest.approx(expected, rel=1e-12)
    assert abs(expected - gap) < 3
    assert distance(mask_of(a), mask_of(b), within_px=expected - 0.01) == math.inf


def test_noise_over_a_large_picture_is_compared_in_little_memory() -> None:
    """Every second pixel of each column, in one half and in the other: a million runs."""
    bitmap = np.zeros((1080, 1920), np.bool_)
    bitmap[::2, :950] = True
    a, b = mask_of(bitmap), mask_of(bitmap[:, ::-1])
    tracemalloc.start()
    found = distance(a, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found, peak < 300e6) == (21.0, True)


@exactly
@given(bitmaps())
def test_centre_is_the_mean_of_all_pixels(given: list[Bitmap]) -> None:
    (bitmap,) = given
    mask = mask_of(bitmap)
    if not bitmap.any():
        with pytest.raises(ValueError, match="empty mask"):
            _ = mask.centre
        return
    rows, columns = np.nonzero(bitmap)
    assert mask.centre == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5), abs=1e-9)


def test_masks_of_different_frames_do_not_mix() -> None:
    a, b = Mask.whole((2, 3)), Mask.whole((3, 2))
    for call in (
        lambda: intersection(a, b),
        lambda: overlaps([a], b),
        lambda: distance(a, b),
        lambda: iou_matrix([a], [b]),
        lambda: union([a, b]),
    ):
        with pytest.raises(ValueError, match="different sizes"):
            call()
    with pytest.raises(ValueError, match="none"):
        union([])


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ("", "add up to 0 pixels; the size has 12"),
        ("5", "add up to 5 pixels; the size has 12"),
        ("<1", "add up to 13 pixels"),
        ("4 4", "' ' at 1; allowed are characters '0' to 'o'"),
        ("4é8", "'é' at 1"),
        ("48\ud800", "at 2"),
        ("4p", "'p' at 1"),
        ("4T", "truncated"),
        ("O", "run 0 is -1 long; allowed is 0 to 12"),
        ("48L", "run 2 is -4 long"),
        ("ooooooo0", "a number of 8 characters; allowed are 7"),
        ("PPPPPP?", "long; allowed is 0 to 12"),
    ],
)
def test_bad_counts_are_refused_with_what_is_wrong(counts: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Mask.from_counts((3, 4), counts)


@exactly
@given(sizes, st.text(st.characters(min_codepoint=48, max_codepoint=111)) | st.text())
def test_any_string_is_a_mask_of_that_size_or_a_value_error(size: Size, counts: str) -> None:
    try:
        mask = Mask.from_counts(size, counts)
    except ValueError:
        return
    assert mask.bitmap().shape == size
    assert Mask.from_counts(size, mask.counts) == mask


@exactly
@given(bitmaps(), st.data())
def test_a_damaged_string_is_refused_or_another_whole_mask(
    given: list[Bitmap], data: st.DataObject
) -> None:
    mask = mask_of(given[0])
    at = data.draw(st.integers(0, len(mask.counts) - 1))
    other = data.draw(st.characters(min_codepoint=46, max_codepoint=113) | st.just(""))
    try:
        damaged = Mask.from_counts(mask.size, mask.counts[:at] + other + mask.counts[at + 1 :])
    except ValueError:
        return
    assert np.array_equal(mask_of(damaged.bitmap()).edges, damaged.edges)


@exactly
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_empty_runs_of_other_writers_are_read_and_not_written_again(runs: list[int]) -> None:
    size = (1, sum(runs) or 1)
    runs = runs if sum(runs) else [1]
    foreign = coco.frPyObjects({"size": size, "counts": runs}, *size)
    bitmap = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(size)
    mask = Mask.from_counts(size, foreign["counts"].decode())
    assert np.array_equal(mask.bitmap(), bitmap)
    assert mask.counts.encode() == coco_of(bitmap)["counts"]


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([0, 13], "0 to 13; allowed is 0 to 12"),
        ([-1, 4], "-1 to 4; allowed is 0 to 12"),
        ([4, 3], "3 after 4; they must ascend"),
        ([1, 2, 3], "allowed are integers in pairs"),
        ([[1, 2]], "allowed are integers in pairs"),
        ([0.5, 2.0], "float64"),
    ],
)
def test_bad_edges_are_refused_with_what_is_wrong(edges: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Mask.from_edges((3, 4), edges)


def test_edges_of_empty_and_touching_runs_are_joined() -> None:
    assert Mask.from_edges((3, 4), [1, 1, 2, 4, 4, 6, 6, 6]).edges.tolist() == [2, 6]


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, -1), (2**16, 2**15)])
def test_impossible_sizes_are_refused(size: Size) -> None:
    with pytest.raises(ValueError, match="size: "):
        Mask.from_counts(size, "0")


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (2, 0), (0, 2)])
def test_a_crop_that_reaches_out_of_the_frame_is_refused(x: int, y: int) -> None:
    with pytest.raises(ValueError, match="reaches out of 3x4"):
        Mask.from_bitmap((3, 4), np.ones((2, 3), np.bool_), x, y)


@pytest.mark.parametrize("bitmap", [np.ones((2, 2), np.uint8), np.ones((2, 2, 1), np.bool_)])
def test_a_bitmap_that_is_not_bool_or_not_flat_is_refused(bitmap: Any) -> None:
    with pytest.raises(ValueError, match="bitmap: "):
        Mask.from_bitmap((3, 4), bitmap, 0, 0)


@pytest.mark.parametrize(
    "points", [[(0, 0), (1, 1)], [(0, 0, 0)] * 3, [(0, 0), (1, 1), (0, np.nan)], [(0, 1e300)] * 3]
)
def test_a_bad_polygon_is_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="polygon: "):
        Mask.from_polygon((3, 4), points)


# --- polygons ------------------------------------------------------------------------------------

vertices = st.lists(st.tuples(st.integers(-5, 20), st.integers(-5, 20)), min_size=3, max_size=7)


def in_polygon(x: Fraction, y: Fraction, points: list[tuple[int, int]]) -> bool:
    inside = False
    for one, other in zip(points, points[1:] + points[:1], strict=True):
        (x1, y1), (x2, y2) = sorted((one, other))
        if x1 <= x < x2 and y1 + (x - x1) * (y2 - y1) / (x2 - x1) <= y:
            inside = not inside
    return inside


@exactly
@given(vertices)
def test_a_polygon_has_the_pixels_whose_centre_it_holds(points: list[tuple[int, int]]) -> None:
    half = Fraction(1, 2)
    centres = [[in_polygon(x + half, y + half, points) for x in range(14)] for y in range(11)]
    assert np.array_equal(Mask.from_polygon((11, 14), points).bitmap(), centres)


def test_a_rectangle_in_whole_pixels_is_exactly_that() -> None:
    mask = Mask.from_polygon((10, 20), [(3, 2), (7, 2), (7, 9), (3, 9)])
    assert (mask.area, mask.box) == (28, (3, 2, 7, 9))


def test_a_zone_over_the_whole_picture_is_the_whole_frame() -> None:
    assert Mask.from_polygon((7, 5), [(0, 0), (5, 0), (5, 7), (0, 7)]) == Mask.whole((7, 5))
    assert Mask.from_polygon((7, 5), [(-9, -9), (50, -9), (50, 70), (-9, 70)]) == Mask.whole((7, 5))


@exactly
@given(st.floats(0, 20), st.floats(0, 20))
def test_zones_that_share_a_side_share_no_pixel_and_miss_none(top: float, foot: float) -> None:
    left = Mask.from_polygon((9, 20), [(0, 0), (top, 0), (foot, 9), (0, 9)])
    right = Mask.from_polygon((9, 20), [(20, 9), (foot, 9), (top, 0), (20, 0)])
    assert intersection(left, right) == 0
    assert union([left, right]) == Mask.whole((9, 20))


@exactly
@given(bitmaps())
def test_the_outlines_filled_by_the_even_odd_rule_are_the_mask(given: list[Bitmap]) -> None:
    mask = mask_of(given[0])
    filled = np.zeros(mask.size, np.bool_)
    for ring in mask.to_polygons():
        filled ^= Mask.from_polygon(mask.size, ring).bitmap()
    assert np.array_equal(filled, given[0])


def test_a_ring_has_an_outer_outline_and_one_of_its_hole() -> None:
    bitmap = np.ones((5, 5), np.bool_)
    bitmap[2, 2] = False
    mask = Mask.from_bitmap((20, 30), bitmap, 10, 4)
    corners = [{tuple(point) for point in ring.tolist()} for ring in mask.to_polygons()]
    assert corners == [
        {(10, 4), (15, 4), (15, 9), (10, 9)},
        {(12, 6), (13, 6), (13, 7), (12, 7)},
    ]
