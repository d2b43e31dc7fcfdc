"""The demo film's script: everything in the yard at each second of the loop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from connectors.demo.boxes import Box
from connectors.demo.cast import LENGTH, ROLES, Role
from connectors.demo.cuboid import Stand
from connectors.demo.forklift import FORK_REACH, Forklift
from connectors.demo.geometry import FloatArray
from connectors.demo.light import Light
from connectors.demo.looks import colour
from connectors.demo.motion import Course, Leg, Motion, Wait
from connectors.demo.person import STRIDE, Outfit, Pose
from connectors.demo.props import pallet
from connectors.demo.render import Thing
from connectors.demo.scene import box_thing, carried_at, forklift_thing, person_thing
from connectors.demo.stage import CAMERA, LOADING_ZONE_GROUND, lying

_SLOT = (3.95, 11.0)  # where the load is set down, in the zone
_AT_SLOT = (_SLOT[0] - FORK_REACH, _SLOT[1])
_BACKED = (-3.2, 11.0)


def _round_trip() -> Course:
    """Out of the hall to the slot, a wait for the mast, back out, and home in a wide turn."""
    hidden, door = (-9.6, 26.0), (-5.3, 22.6)
    return Course(
        (
            Leg(
                (hidden, (-6.0, 25.8), door, (-5.2, 18.6), (-3.4, 12.0), (-1.0, 11.0), _AT_SLOT),
                2.4,
                ramp=1.4,
            ),
            Wait(3.4),
            Leg((_AT_SLOT, (-1.0, 11.0), _BACKED), 1.5, reverse=True, ramp=1.2),
            Wait(0.6),
            Leg(
                (
                    _BACKED,
                    (-1.6, 11.0),
                    (0.4, 12.2),
                    (0.2, 15.0),
                    (-2.4, 16.6),
                    (-5.3, 17.6),
                    door,
                    (-5.6, 25.8),
                    hidden,
                ),
                2.4,
                ramp=1.4,
            ),
        )
    )


_TRIP = _round_trip()
_BRINGS, _FETCHES = 3.5, 43.0  # when the two trips begin
_SET_DOWN = _BRINGS + _TRIP.start_of(1) + 2.9  # once the mast is down
_PICKED_UP = _FETCHES + _TRIP.start_of(1) + 0.5  # once it begins to rise
_CRUISE = 0.16  # metres of lift while driving
_TALL = Box("slatted", (0.95, 0.9, 0.72), colour("C09A62"))
_FLAT = Box("kraft", (0.9, 0.86, 0.5), colour("B07F4B"))
_PALLET = 0.14  # metres thick


def light_at(time: float) -> Light:
    """Thin clouds pass twice a loop."""
    cloud = 0.5 - 0.5 * math.cos(2 * math.pi * time / LENGTH * 2)
    return Light(shadow=0.50 - 0.16 * cloud, level=1.16 - 0.06 * cloud, warmth=0.35 - 0.25 * cloud)


def things_at(time: float) -> list[Thing]:
    """Everything in the yard at `time` seconds of the film."""
    light, eye = light_at(time), CAMERA.centre
    return [
        *lying(light, eye),
        *people_at(ROLES, time, light, eye),
        *_driven(time % LENGTH, light, eye),
    ]


def intruders(time: float) -> tuple[str, ...]:
    """The roles whose feet are in the loading zone at `time` seconds of the film."""
    (left, near), _, (right, far), _ = LOADING_ZONE_GROUND
    moments = ((role.name, role.at(time)) for role in ROLES)
    return tuple(
        name for name, m in moments if m is not None and left <= m.x <= right and near <= m.y <= far
    )


def people_at(roles: Iterable[Role], time: float, light: Light, eye: FloatArray) -> Iterator[Thing]:
    """Those of ``roles`` who are out at `time` seconds of the film, with what they carry."""
    for role in roles:
        moment = role.at(time)
        if moment is None:
            continue
        outfit = role.outfit
        if role.load is not None:
            outfit = replace(outfit, bag=None)
        pose = _posed(role, outfit, moment, time)
        yield person_thing(outfit, pose)
        if role.load is not None:
            yield box_thing(role.load, carried_at(outfit, pose, role.load), light, eye)


def _posed(role: Role, outfit: Outfit, moment: Motion, time: float) -> Pose:
    arms = "carry" if role.load is not None else moment.arms or "swing"
    return Pose(
        moment.x,
        moment.y,
        moment.heading,
        phase=2 * math.pi * moment.travelled / (STRIDE * outfit.height),
        stride=min(1.1, moment.speed / 1.35),
        arms=arms,
        clock=time,
    )


def forklift_at(time: float) -> tuple[Motion, float] | None:
    """The forklift's moment and its lift in metres, None while it is in the hall."""
    for start, brings in ((_BRINGS, True), (_FETCHES, False)):
        since = time - start
        if 0 <= since <= _TRIP.duration:
            return _TRIP.at(since), _lift(since - _TRIP.start_of(1), brings)
    return None


def _lift(since: float, brings: bool) -> float:
    """Metres of lift, `since` seconds after the stop at the slot."""
    share = min(max((since - 0.5) / 2.4, 0.0), 1.0)
    share = share * share * (3 - 2 * share)
    return _CRUISE * (1 - share) if brings else _CRUISE * share


def _driven(time: float, light: Light, eye: FloatArray) -> Iterator[Thing]:
    """The forklift, and its load wherever that is."""
    seen = forklift_at(time)
    load = Stand(*_SLOT) if _SET_DOWN <= time <= _PICKED_UP else None
    if seen is not None:
        moment, lift = seen
        stand = Stand(moment.x, moment.y, 0.0, moment.heading)
        yield forklift_thing(Forklift(colour("D7263D"), lift, moment.travelled), stand, light, eye)
        if load is None:
            ahead = np.array([math.cos(moment.heading), math.sin(moment.heading)]) * FORK_REACH
            load = Stand(moment.x + ahead[0], moment.y + ahead[1], lift, moment.heading)
    if load is not None:
        yield pallet(load, light, eye)
        yield box_thing(_TALL, replace(load, z=load.z + _PALLET), light, eye)
        top = replace(load, z=load.z + _PALLET + _TALL.size[2])
        yield box_thing(_FLAT, top, light, eye)
