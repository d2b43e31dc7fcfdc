"""Random scenes: what a camera may see in any yard, for training and for evaluation."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from connectors.demo.boxes import Box, drawn_box
from connectors.demo.cuboid import Stand
from connectors.demo.forklift import FORK_REACH, FORK_TOP, Forklift, drawn_forklift
from connectors.demo.geometry import Bounds, Camera, FloatArray
from connectors.demo.light import Light, drawn_light
from connectors.demo.looks import Looks
from connectors.demo.person import Outfit, Pose, drawn_outfit, figure
from connectors.demo.props import drawn_prop
from connectors.demo.render import LABELS, Frame, Thing, render
from connectors.demo.yard import drawn_yard

PERSON, FORKLIFT, BOX = range(len(LABELS))

_CARRY_HEIGHT = 0.56  # of the body's height, where the underside of a carried box is


def person_thing(outfit: Outfit, pose: Pose) -> Thing:
    """A person as a thing in the yard."""
    bounds = Bounds(pose.x, pose.y, pose.heading, 0.17, 0.2, 0.0, outfit.height)
    return Thing(PERSON, figure(outfit, pose), bounds)


def box_thing(box: Box, stand: Stand, light: Light, eye: FloatArray) -> Thing:
    """A box as a thing in the yard."""
    return Thing(BOX, box.solids(stand, light, eye), box.bounds(stand))


def forklift_thing(lift: Forklift, stand: Stand, light: Light, eye: FloatArray) -> Thing:
    """A forklift as a thing in the yard."""
    return Thing(FORKLIFT, lift.solids(stand, light, eye), lift.bounds(stand))


def carried_at(outfit: Outfit, pose: Pose, box: Box) -> Stand:
    """Where a box is that a person carries in both hands."""
    ahead = 0.19 + box.size[0] / 2
    x = pose.x + math.cos(pose.heading) * ahead
    y = pose.y + math.sin(pose.heading) * ahead
    bob = 0.012 * pose.stride * math.cos(2 * pose.phase)
    return Stand(x, y, _CARRY_HEIGHT * outfit.height + bob, pose.heading)


def on_forks(lift: Forklift, stand: Stand) -> Stand:
    """Where a box is that lies on the forks."""
    x = stand.x + math.cos(stand.heading) * FORK_REACH
    y = stand.y + math.sin(stand.heading) * FORK_REACH
    return Stand(x, y, lift.lift + FORK_TOP, stand.heading)


def drawn_frame(seed: int, looks: Looks, density: int = 1) -> Frame:
    """One random frame; the same seed and family give the same bytes."""
    rng = np.random.default_rng(seed)
    camera = Camera(
        height=float(rng.uniform(4.4, 5.8)),
        pitch=math.radians(rng.uniform(14.5, 19)),
        focal=float(rng.uniform(690, 840)),
    )
    light = drawn_light(rng)
    yard = drawn_yard(rng, looks)
    things = _Crowd(rng, looks, camera, light, yard.wall_at).things()
    frame = render(things, yard.backdrop(camera, density), camera, light)
    return dataclasses.replace(frame, image=_grained(rng, frame.image))


def _grained(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """A sensor's noise, of a strength of its own."""
    noise = rng.normal(0, rng.uniform(0.3, 4.0), image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


class _Crowd:
    """Fills a yard with things that do not stand in one another."""

    def __init__(
        self, rng: np.random.Generator, looks: Looks, camera: Camera, light: Light, wall: float
    ) -> None:
        self._rng, self._looks, self._light = rng, looks, light
        self._camera, self._eye, self._wall = camera, camera.centre, wall
        self._taken: list[tuple[float, float, float]] = []

    def things(self) -> list[Thing]:
        """Forklifts first, as they need most room, then boxes, people and what else lies about."""
        rng, found = self._rng, []
        for _ in range(int(rng.choice(3, p=(0.2, 0.65, 0.15)))):
            found += self._forklift()
        for _ in range(int(rng.integers(0, 4))):
            found += self._stack()
        for _ in range(int(rng.integers(1, 8))):
            found += self._person()
        for _ in range(int(rng.integers(0, 4))):
            spot = self._spot(0.5)
            if spot:
                found.append(drawn_prop(rng, *spot, self._light, self._eye))
        return found

    def _spot(self, room: float) -> tuple[float, float] | None:
        """A free place that the camera sees, or None after some tries."""
        for _ in range(12):
            # far ground is larger in the world but small in the picture: favour the middle
            y = float(self._rng.triangular(7.6, 11.0, self._wall - room))
            half = y * 416 / self._camera.focal * 1.05
            x = float(self._rng.uniform(-half, half))
            if all(math.hypot(x - a, y - b) > room + r for a, b, r in self._taken):
                self._taken.append((x, y, room))
                return x, y
        return None

    def _forklift(self) -> list[Thing]:
        spot = self._spot(1.4)
        if spot is None:
            return []
        rng, light, eye = self._rng, self._light, self._eye
        lift = drawn_forklift(rng, self._looks)
        stand = Stand(*spot, 0.0, float(rng.uniform(-math.pi, math.pi)))
        found = [forklift_thing(lift, stand, light, eye)]
        if rng.random() < 0.55:
            found += self._pile(on_forks(lift, stand), int(rng.integers(1, 3)))
        return found

    def _stack(self) -> list[Thing]:
        spot = self._spot(0.6)
        if spot is None:
            return []
        turn = float(self._rng.choice((0.0, math.pi / 2)) + self._rng.normal(0, 0.3))
        return self._pile(Stand(*spot, 0.0, turn), int(self._rng.choice((1, 1, 1, 2, 2, 3))))

    def _pile(self, stand: Stand, count: int) -> list[Thing]:
        found, z = [], stand.z
        for _ in range(count):
            small = stand.z == 0 and self._rng.random() < 0.25
            box = drawn_box(self._rng, self._looks, small=small)
            turn = stand.heading + float(self._rng.normal(0, 0.06))
            place = Stand(stand.x, stand.y, z, turn)
            found.append(box_thing(box, place, self._light, self._eye))
            z += box.size[2]
        return found

    def _person(self) -> list[Thing]:
        # people may brush past one another and past things: that is where occlusion comes from
        spot = self._spot(0.05 if self._rng.random() < 0.5 else 0.4)
        if spot is None:
            return []
        rng = self._rng
        outfit = drawn_outfit(rng, self._looks)
        walks = rng.random() < 0.7
        arms = str(rng.choice(("swing", "swing", "swing", "carry", "phone", "talk")))
        pose = Pose(
            *spot,
            heading=float(rng.uniform(-math.pi, math.pi)),
            phase=float(rng.uniform(0, 2 * math.pi)),
            stride=float(rng.uniform(0.6, 1.1)) if walks else 0.0,
            arms=arms,
            clock=float(rng.uniform(0, 20)),
        )
        found = [person_thing(outfit, pose)]
        if arms == "carry":
            box = drawn_box(rng, self._looks, small=True)
            found.append(box_thing(box, carried_at(outfit, pose, box), self._light, self._eye))
        return found
