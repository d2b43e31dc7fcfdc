"""A result drawn on its picture."""

from collections.abc import Sequence
from typing import NamedTuple

from connectors.annotate.pen import ALARM, CALM, DIM, INK, PALETTE, WHITE, Colour, Pen, Word
from stream.codec import rfc3339
from stream.masks import Mask
from stream.rules import Crossing
from stream.rules.crossing import in_pixels
from stream.specs import ZoneSpec
from stream.types import Alert, Instance, Pixels, Result, Track, Tracks

Place = ZoneSpec | Crossing
"""A zone, or the line of a rule: what is watched."""


class Stamp(NamedTuple):
    """When a picture was taken (event time), and by which camera."""

    time_us: int
    camera: str


def draw(  # noqa: PLR0913 - one for each thing that is drawn
    pixels: Pixels,
    result: Result | None,
    tracks: Tracks | None,
    places: Sequence[Place],
    open_alerts: Sequence[Alert],
    marked: Sequence[Mask] = (),
    stamp: Stamp | None = None,
) -> Pixels:
    """A copy of ``pixels`` (BGR, any size) with what was seen, where, and what is wrong.

    ``places`` and ``open_alerts`` are those of the picture's camera; a line has a spot at its
    first end, and an arrow for each direction that counts. Masks are coloured by identity; without
    ``tracks`` all have one colour; those that are ``marked`` are red. Without a ``result`` only
    what is watched, and alerts, are drawn. A ``stamp`` stands in the corner at the lower right,
    its time in UTC.
    """
    pen = Pen(pixels.copy())
    zones = [each for each in places if isinstance(each, ZoneSpec)]
    lines = [each for each in places if isinstance(each, Crossing)]
    alarmed = {alert.zone for alert in open_alerts}
    seen = _seen(result, tracks)
    for zone in zones:
        _draw_zone(pen, zone, alarmed=zone.id in alarmed)
    for instance, _, colour in seen:
        pen.mask(instance.mask, colour)
    for mask in marked:
        pen.mask(mask, ALARM)
    for line in lines:
        _draw_line(pen, line, alarmed=any(alert.rule == line.id for alert in open_alerts))
    if stamp is not None:  # before other words, which move where they would cover it
        _stamp(pen, stamp)
    for zone in zones:
        _name_zone(pen, zone, alarmed=zone.id in alarmed)
    for instance, name, colour in sorted(seen, key=lambda each: -each[0].box[1]):
        _label(pen, instance, name, colour)
    for row, alert in enumerate(open_alerts):
        _announce(pen, row, alert)
    return pen.picture


def short(identity: str) -> str:
    """The end of camera/epoch/seq/index, as the page has it: ``#412``, or ``#412.1``."""
    _, seq, index = identity.rsplit("/", 2)
    return f"#{seq}" if index == "0" else f"#{seq}.{index}"


def colour_of(identity: str) -> Colour:
    """The colour of an identity: the same in every picture."""
    _, seq, index = identity.rsplit("/", 2)
    return PALETTE[(int(seq) * 7 + int(index)) % len(PALETTE)]


def _seen(result: Result | None, tracks: Tracks | None) -> list[tuple[Instance, str, Colour]]:
    """Each instance with the short name of its identity, if it has one, and its colour."""
    of_instance: dict[int, Track] = {}
    if tracks is not None:
        of_instance = {track.instance: track for track in tracks.tracks}
    seen = []
    for index, instance in enumerate(result.instances if result else ()):
        track = of_instance.get(index)
        if track is None:
            seen.append((instance, "", PALETTE[0]))
        else:
            seen.append((instance, short(track.id), colour_of(track.id)))
    return seen


def _draw_zone(pen: Pen, zone: ZoneSpec, *, alarmed: bool) -> None:
    corners = [pen.at(*point) for point in zone.polygon]
    if alarmed:
        pen.area(corners, ALARM, opacity=0.24, line_opacity=0.95)
    else:
        pen.area(corners, CALM, opacity=0.06, line_opacity=0.9)


def _name_zone(pen: Pen, zone: ZoneSpec, *, alarmed: bool) -> None:
    x, y = pen.at(*min(zone.polygon, key=lambda point: (point[1], point[0])))
    ground, ink = (ALARM, INK) if alarmed else (INK, WHITE)
    pen.chip((x + 5, y + 5), [(zone.id, ink, "bold")], ground)


def _draw_line(pen: Pen, rule: Crossing, *, alarmed: bool) -> None:
    line = in_pixels(rule.line, pen.picture.shape[:2])
    colour = ALARM if alarmed else CALM
    pen.line(line.start, line.end, colour)
    pen.spot(line.start, colour)
    middle = ((line.start[0] + line.end[0]) / 2, (line.start[1] + line.end[1]) / 2)
    x, y = line.right
    if rule.direction != "right-to-left":
        pen.arrow(middle, (x, y), colour)
    if rule.direction != "left-to-right":
        pen.arrow(middle, (-x, -y), colour)


def _label(pen: Pen, instance: Instance, name: str, colour: Colour) -> None:
    x, y, _, _ = instance.box
    words: list[Word] = [(instance.label, WHITE, "bold"), (name, DIM, "regular")]
    pen.chip((x, y - pen.chip_px - 4), words, INK, dot=colour)


def _stamp(pen: Pen, stamp: Stamp) -> None:
    time = rfc3339(stamp.time_us, to="seconds")
    right, bottom = pen.at(1, 1)
    words: list[Word] = [(time, WHITE, "regular"), (stamp.camera, WHITE, "bold")]
    pen.chip((right - 10, bottom - pen.chip_px - 10), words, INK)


def _announce(pen: Pen, row: int, alert: Alert) -> None:
    place = f"{alert.camera} / {alert.zone}" if alert.zone else alert.camera
    words: list[Word] = [(alert.rule, INK, "bold"), (place, INK, "regular")]
    _, bottom = pen.at(0, 1)
    pen.chip((10, bottom - 4 - (row + 1) * (pen.chip_px + 6)), words, ALARM)
