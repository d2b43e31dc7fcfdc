"""What a picture of an alert shows, and what nobody may recognise in it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from msgspec import structs

from connectors.annotate.pen import ALARM, INK, WHITE, Pen
from connectors.evidence import Artist
from connectors.evidence.blurring import BLOCKS, blur
from stream.cli.evidence import looked
from stream.masks import Mask
from stream.ports import Window
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.specs import CameraSpec, ZoneSpec
from stream.types import Evidence, Frame, FrameId, Instance, Joined, Picture, Pixels, Raw, Result
from tests.support.build import MODEL
from tests.support.clock import START_US
from tests.support.kept import whole
from tests.support.scene import GATE, alert

SIZE = (240, 320)


def noise() -> Pixels:
    return np.random.default_rng(7).integers(0, 255, (*SIZE, 3), np.uint8)


def square(x: int, y: int, side: int) -> Mask:
    return Mask.from_bitmap(SIZE, np.ones((side, side), np.bool_), x, y)


def result(*seen: tuple[str, Mask], size: tuple[int, int] = SIZE) -> Result:
    instances = tuple(
        Instance(label, 0.9, tuple(map(float, mask.box)), mask)  # type: ignore[arg-type]
        for label, mask in seen
    )
    return Result("hall", 1, 0, START_US, START_US, size, MODEL, instances)


def frame(pixels: Pixels, found: Result | None) -> Joined:
    kept = Frame(FrameId("hall", 1, 0), "live", SIZE, START_US, START_US, Raw(pixels))
    return Joined(kept, found, None)


def pixels_of(picture: Picture) -> Pixels:
    assert isinstance(picture, Raw)
    return picture.pixels


def colours(pixels: Pixels, where: np.ndarray) -> int:
    return len(np.unique(pixels[where], axis=0))


def test_inside_the_mask_a_few_blocks_of_colour_are_left_and_far_from_it_all_is_as_it_was() -> None:
    pixels, person = noise(), square(80, 60, 100)

    blurred = blur(pixels, result(("person", person)), {"person"}, whole("hall", SIZE))

    inside = person.bitmap()
    assert colours(pixels, inside) > 9_000
    assert colours(blurred, inside) <= (BLOCKS + 1) ** 2
    far = ~cv2.dilate(inside.astype(np.uint8), np.ones((17, 17))).astype(bool)
    assert np.array_equal(blurred[far], pixels[far])


def test_what_sticks_out_of_the_mask_is_blurred_as_well() -> None:
    pixels, person = noise(), square(80, 60, 100)
    blurred = blur(pixels, result(("person", person)), {"person"}, whole("hall", SIZE))
    assert not np.any(np.all(blurred[60:160, 76:80] == pixels[60:160, 76:80], axis=2))


@pytest.mark.parametrize("at", [(0, 0), (220, 140), (0, 140), (220, 0)])
def test_somebody_at_the_border_is_blurred_too(at: tuple[int, int]) -> None:
    pixels, person = noise(), square(*at, 100)
    blurred = blur(pixels, result(("person", person)), {"person"}, whole("hall", SIZE))
    assert colours(blurred, person.bitmap()) <= (BLOCKS + 1) ** 2


def test_other_labels_stay_sharp() -> None:
    pixels = noise()
    found = result(("car", square(80, 60, 100)))
    assert np.array_equal(blur(pixels, found, {"person"}, whole("hall", SIZE)), pixels)


def test_the_frame_itself_is_left_alone() -> None:
    pixels = noise()
    before = pixels.copy()
    blur(pixels, result(("person", square(80, 60, 100))), {"person"}, whole("hall", SIZE))
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("found", [None, result(("person", square(80, 60, 9)), size=(24, 32))])
def test_a_frame_of_which_nobody_knows_what_is_in_it_is_blurred_all_over(
    found: Result | None,
) -> None:
    blurred = blur(noise(), found, {"person"}, whole("hall", SIZE))
    assert colours(blurred, np.ones(SIZE, bool)) <= (BLOCKS + 1) * 2 * BLOCKS


def test_where_nobody_was_looked_for_all_is_blurred() -> None:
    pixels = noise()
    blurred = blur(pixels, result(), {"person"}, [Window(80, 60, 100, 90)])
    inside = np.zeros(SIZE, bool)
    inside[60:150, 80:180] = True
    assert np.array_equal(blurred[inside], pixels[inside])
    assert colours(blurred, ~inside) <= (BLOCKS + 1) * 2 * BLOCKS


@pytest.mark.parametrize(
    ("asked", "windows"),
    [
        ({}, [Window(0, 0, 320, 240)]),
        ({"labels": ["car", "person"]}, [Window(0, 0, 320, 240)]),
        ({"labels": ["car"]}, []),
        ({"roi": [0.25, 0.25, 0.5, 0.5]}, [Window(80, 60, 80, 60)]),
    ],
)
def test_people_are_looked_for_where_their_camera_is_and_keeps_them(
    asked: dict[str, object], windows: list[Window]
) -> None:
    hall = CameraSpec.model_validate({"id": "hall", "url": "rtsp://camera/1", **asked})
    assert list(looked(Listed([hall]), ["person"], "hall", SIZE)) == windows
    assert not looked(Listed([]), ["person"], "hall", SIZE), "nobody knows how it is looked at"


def test_without_labels_nothing_is_blurred() -> None:
    pixels = noise()
    assert np.array_equal(blur(pixels, None, (), whole("hall", SIZE)), pixels)


YARD = ZoneSpec(id="gate", camera="yard", polygon=((0.0, 0.0), (0.2, 0.0), (0.2, 0.2)))


def grey() -> Pixels:
    return np.full((*SIZE, 3), 90, np.uint8)


def test_the_zone_of_the_alert_is_drawn_and_no_other() -> None:
    other = ZoneSpec(id="door", camera="hall", polygon=((0.0, 0.3), (0.2, 0.3), (0.2, 0.5)))
    artist = Artist(Rulebook((), [GATE, YARD, other]), (), whole, pixels_of)

    drawn = artist.picture(frame(grey(), result()), alert())

    y, x = round(0.3 * SIZE[0]), round(0.9 * SIZE[1])
    assert drawn[y, x, 2] > drawn[y, x, 0] + 20, "the zone is tinted red"
    for y, x in ((10, 55), (round(0.38 * SIZE[0]), round(0.17 * SIZE[1]))):
        assert drawn[y, x].tolist() == [90, 90, 90]


def test_what_the_alert_is_about_is_red_and_the_others_are_not() -> None:
    guilty, other = square(30, 80, 60), square(120, 80, 60)
    told = structs.replace(alert(), zone=None, evidence=Evidence(1, 0, mask=guilty))
    found = result(("person", guilty), ("person", other))

    drawn = Artist(Rulebook((), []), (), whole, pixels_of).picture(frame(grey(), found), told)

    def distance(y: int, x: int) -> float:
        return float(np.abs(drawn[y, x].astype(float) - ALARM).sum())

    assert distance(120, 60) < distance(120, 150)


def test_what_is_drawn_is_drawn_on_the_blurred_picture() -> None:
    person = square(80, 60, 100)
    told = structs.replace(alert(), zone=None, evidence=Evidence(1, 0, mask=person))
    found = result(("person", person))
    one = Artist(Rulebook((), []), {"person"}, whole, pixels_of).picture(
        frame(noise(), found), told
    )

    inner = square(95, 85, 60).bitmap()  # within its outline, under its label
    assert colours(one, inner) <= (BLOCKS + 1) ** 2


def test_before_the_alert_opened_nothing_is_wrong() -> None:
    told = structs.replace(alert(), opened_us=START_US + 1)
    drawn = Artist(Rulebook((), [GATE]), (), whole, pixels_of).picture(
        frame(grey(), result()), told
    )
    assert int(np.ptp(drawn.reshape(-1, 3), axis=1).max()) < 20, "there is no red in it"


def test_the_time_in_utc_and_the_camera_are_written_into_the_picture() -> None:
    def picture(time_us: int) -> Pixels:
        kept = frame(grey(), result())
        taken = replace(kept, frame=replace(kept.frame, time_us=time_us))
        return Artist(Rulebook((), []), (), whole, pixels_of).picture(taken, alert())

    drawn = picture(START_US + 3_999_999)
    pen, (height, width) = Pen(grey()), SIZE
    at = (width, height - pen.chip_px - 10)
    pen.chip(at, [("2023-11-14T22:13:23Z", WHITE, "regular"), ("hall", WHITE, "bold")], INK)
    corner = np.s_[height // 2 :, width - 172 :]
    assert np.array_equal(written(drawn)[corner], written(pen.picture)[corner])
    assert not np.array_equal(drawn, picture(START_US + 4_000_000)), "a second later it says so"


def written(pixels: Pixels) -> np.ndarray:
    """Where something is lighter or darker than the grey of the picture."""
    return np.asarray(np.abs(pixels.astype(int) - 90).max(axis=2) > 20)


def test_no_other_word_covers_the_time() -> None:
    person = square(220, 234, 6)
    found = result(("person", person))
    artist = Artist(Rulebook((), []), (), whole, pixels_of)
    alone = artist.picture(frame(grey(), result()), alert())
    beside = artist.picture(frame(grey(), found), alert())
    stamp = np.s_[212:230, 170:310]
    assert written(alone)[stamp].mean() > 0.9
    assert np.array_equal(alone[stamp], beside[stamp])
