"""Draw the pictures of the rules' page: each kind really judges what is drawn.

Run as ``python -m tests.setup.rule_pictures [KIND …]``; it looks best with the font Inter.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from connectors.annotate import Place, draw
from connectors.annotate.pen import INK, WHITE, Pen
from connectors.demo.render import LABELS, Backdrop, Frame, Thing, render
from connectors.demo.stage import CAMERA, YARD, lying
from stream.masks import Mask
from stream.rules import Crossing, Health
from stream.seeing import Eye, Look, thumbnail
from stream.specs import CameraHealthSpec, ZoneSpec
from stream.types import (
    Alert,
    CameraHealth,
    Instance,
    MaskMessage,
    ModelRef,
    Pixels,
    Result,
    Tracks,
)
from stream.watching import Watched, plans, step
from tests.setup.rule_scenes import EYE, LIGHT, ZONE, Scene, in_view, scenes

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
MODEL = ModelRef("yard", "0" * 64, "f32")
GAP_PX = 6
QUALITY = 82


@dataclass(frozen=True)
class Moment:
    """What was seen at a time, and the alert as it was told last."""

    time_s: float
    pixels: Pixels
    result: Result
    tracks: Tracks | None
    alert: Alert | None


def path_of(kind: str) -> Path:
    """Where the picture of a kind lies."""
    return FOLDER / f"rule-{kind}.jpg"


def moments(scene: Scene) -> list[Moment]:
    """The scene played through, picture by picture: those moments of it that are shown."""
    zones = [ZoneSpec(id="dock", camera="yard", polygon=in_view(ZONE))]
    plan = plans([scene.rule], zones)["yard"]
    state, alert, eye = Watched(), None, Eye(CameraHealthSpec())
    shown = []
    eye.begin(0, _seen(scene, 0)[1].size, scene.fps)
    for seq in range(round(max(time for time, _ in scene.shown) * scene.fps) + 1):
        pixels, result = _seen(scene, seq)
        tracks = None
        for message in [*_health(eye, pixels, result), result]:
            state, found, alerts = step(plan, state, message)
            tracks, alert = found or tracks, (alert, *alerts)[-1]
        if result.time_us / 1e6 in [time for time, _ in scene.shown]:
            shown.append(Moment(result.time_us / 1e6, pixels, result, tracks, alert))
    return shown


def picture(scene: Scene, shown: Sequence[Moment]) -> Pixels:
    """The moments side by side."""
    panels = [_panel(scene, moment) for moment in shown]
    gap = np.full((panels[0].shape[0], GAP_PX, 3), 255, np.uint8)
    parts = [part for panel in panels for part in (gap, panel)][1:]
    return np.hstack(parts)


def _panel(scene: Scene, moment: Moment) -> Pixels:
    rule, alert = scene.rule, moment.alert
    zone = None if isinstance(rule, Health) else rule.zone
    zones = [ZoneSpec(id="dock", camera="yard", polygon=in_view(ZONE))] if zone else []
    places: list[Place] = [*zones, rule] if isinstance(rule, Crossing) else [*zones]
    is_open = alert is not None and alert.state != "resolved"
    told = [alert] if alert is not None and is_open else []
    pixels = draw(moment.pixels, moment.result, moment.tracks, places, told)
    words = f"{moment.time_s:g} s" + (", resolved" if alert and not is_open else "")
    pen, bottom = Pen(pixels), pixels.shape[0]
    pen.chip((pixels.shape[1], bottom - pen.chip_px - 10), [(words, WHITE, "regular")], INK)
    for detail in [each.detail for each in told if each.detail]:
        place = (10, bottom - 2 * pen.chip_px - 14)
        pen.chip(place, [(detail, WHITE, "regular")], INK)
    return pixels


def _seen(scene: Scene, seq: int) -> tuple[Pixels, Result]:
    """The picture, and the true masks of it that the rule asks for."""
    time_s = seq / scene.fps
    frame = _frame(scene.things_at(time_s))
    x1, y1, x2, y2 = scene.view_at(time_s)
    pixels = np.ascontiguousarray(frame.image[y1:y2, x1:x2])
    wanted = ("person",) if isinstance(scene.rule, Health) else scene.rule.wanted or LABELS
    instances = []
    for index, label in enumerate(LABELS[each] for each in frame.labels):
        bitmap = frame.mask(index)[y1:y2, x1:x2]
        mask = Mask.from_bitmap(bitmap.shape, np.ascontiguousarray(bitmap), 0, 0)
        if label in wanted and mask.area > 40:
            left, top, right, bottom = (float(each) for each in mask.box)
            instances.append(Instance(label, 0.9, (left, top, right, bottom), mask))
    time_us = round(time_s * 1e6)
    size = (y2 - y1, x2 - x1)
    return pixels, Result("yard", 1, seq, time_us, time_us, size, MODEL, tuple(instances))


def _health(eye: Eye, pixels: Pixels, result: Result) -> Iterator[MaskMessage]:
    """What ails the camera by this picture, told with every one."""
    found = eye.look(Look(result.seq, result.time_us, thumbnail(pixels)))
    for name, finding in found.items():
        if name == "moved":
            yield CameraHealth("yard", 1, result.seq, result.time_us, name, finding.is_on,
                               finding.since_us, finding.detail)  # fmt: skip


def _frame(things: list[Thing]) -> Frame:
    return render([*lying(LIGHT, EYE), *things], _backdrop(), CAMERA, LIGHT)


@cache
def _backdrop() -> Backdrop:
    return YARD.backdrop(CAMERA, 1)


def main() -> None:
    """Draw them all, or those that are named."""
    for kind, scene in scenes().items():
        if sys.argv[1:] and kind not in sys.argv[1:]:
            continue
        shown = moments(scene)
        for moment, (_, expected) in zip(shown, scene.shown, strict=True):
            state = moment.alert.state if moment.alert else None
            assert state == expected, f"{kind} at {moment.time_s:g} s: {state}, not {expected}"
        path = path_of(kind)
        cv2.imwrite(str(path), picture(scene, shown), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
