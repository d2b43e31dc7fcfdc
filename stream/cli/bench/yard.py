"""A busy yard at 1080p, as results: the demo's people and forklifts with their loads.

The outlines are those of the demo's figures: legs swing, forks reach out, and what stands behind
another is cut off by it, as in a model's masks.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from connectors.demo.boxes import Box
from connectors.demo.cuboid import Stand
from connectors.demo.forklift import Forklift
from connectors.demo.geometry import WIDTH, Solid, back_to_front
from connectors.demo.light import Light
from connectors.demo.looks import HELD_OUT
from connectors.demo.person import STRIDE, Outfit, Pose, drawn_outfit
from connectors.demo.render import LABELS, Thing
from connectors.demo.scene import box_thing, forklift_thing, on_forks, person_thing
from connectors.demo.stage import CAMERA
from stream.masks import Mask
from stream.types import Instance, ModelRef, Result, Size

SIZE: Size = (1080, 1920)
FPS = 10
PEOPLE_M, FORKLIFTS_M = (8.0, 9.5, 11.5, 13.5, 15.5, 18.0), (12.5, 17.0)
"""How far from the camera each goes to and fro: a person is 170 to 380 px high in the picture."""
WALK_M_PER_S, DRIVE_M_PER_S = 1.35, 2.4
LEAST_PX = 200
"""Less of a thing is hidden to a model."""

_MODEL = ModelRef("yard", "0" * 64, "f32")
_FINER = SIZE[1] / WIDTH
_ANGLES = np.linspace(0, 2 * math.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_LIGHT = Light()

Numbers = NDArray[np.uint8]


def results(camera: str, frames: int) -> list[Result]:
    """So many results in a row, with ten instances each, but for those who are hidden."""
    random = np.random.default_rng(0)
    outfits = [drawn_outfit(random, HELD_OUT) for _ in PEOPLE_M]
    return [_result(camera, seq, _things(seq / FPS, outfits), random) for seq in range(frames)]


def _things(time_s: float, outfits: Sequence[Outfit]) -> list[Thing]:
    eye, found = CAMERA.centre, []
    for number, (at_m, outfit) in enumerate(zip(PEOPLE_M, outfits, strict=True)):
        way_m = time_s * WALK_M_PER_S
        x_m, heading = _to_and_fro(at_m, way_m + 5.3 * number)
        phase = 2 * math.pi * way_m / (STRIDE * outfit.height)
        found.append(person_thing(outfit, Pose(x_m, at_m, heading, phase=phase, stride=1.0)))
    load = Box("slatted", (0.9, 0.9, 0.8), (64.0, 128.0, 208.0))
    for number, at_m in enumerate(FORKLIFTS_M):
        x_m, heading = _to_and_fro(at_m, time_s * DRIVE_M_PER_S + 9.1 * number)
        forklift, stand = Forklift((60.0, 60.0, 200.0), 0.16), Stand(x_m, at_m, 0.0, heading)
        found.append(forklift_thing(forklift, stand, _LIGHT, eye))
        found.append(box_thing(load, on_forks(forklift, stand), _LIGHT, eye))
    return found


def _to_and_fro(at_m: float, way_m: float) -> tuple[float, float]:
    """Where from left to right somebody is who has gone so far, and where they head."""
    reach_m = 0.4 * at_m
    way_m %= 4 * reach_m
    return (way_m - reach_m, 0.0) if way_m < 2 * reach_m else (3 * reach_m - way_m, math.pi)


def _result(camera: str, seq: int, things: Sequence[Thing], random: np.random.Generator) -> Result:
    seen = np.zeros(SIZE, np.uint8)
    places = {}
    for index in back_to_front([thing.bounds for thing in things], CAMERA.centre):
        places[index] = _paint(seen, things[index].solids, index + 1)
    instances = []
    for index, thing in enumerate(things):
        x, y, width, height = places[index]
        mask = Mask.from_bitmap(SIZE, seen[y : y + height, x : x + width] == index + 1, x, y)
        if mask.area >= LEAST_PX:
            left, top, right, bottom = (np.array(mask.box) + random.normal(0, 1.5, 4)).tolist()
            score = random.uniform(0.4, 0.95)
            label = LABELS[thing.label or 0]
            instances.append(Instance(label, score, (left, top, right, bottom), mask))
    time_us = round(seq * 1e6 / FPS)
    return Result(camera, 1, seq, time_us, time_us, SIZE, _MODEL, tuple(instances))


def _paint(seen: Numbers, solids: Sequence[Solid], number: int) -> tuple[int, int, int, int]:
    """Write ``number`` where a thing is; returns where that can be: x, y, width, height."""
    hulls = []
    for solid in solids:
        pixels, scale = CAMERA.project(solid.points)
        ring = pixels[:, None] + (solid.radii * scale)[:, None, None] * _CIRCLE
        hulls.append(cv2.convexHull(np.round(ring.reshape(-1, 2) * _FINER).astype(np.int32)))
        cv2.fillConvexPoly(seen, hulls[-1], number)
    low, high = np.concatenate(hulls).min(axis=(0, 1)), np.concatenate(hulls).max(axis=(0, 1))
    (x, y), (right, bottom) = low.clip(0), (high + 1).clip(0, SIZE[::-1])
    return int(x), int(y), max(int(right - x), 0), max(int(bottom - y), 0)
