"""Everybody on foot in the demo film: who, when, along which way.

Each course begins and ends out of sight, and times are taken modulo LENGTH, so the film loops
without a seam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from connectors.demo.boxes import Box
from connectors.demo.looks import HELD_OUT, colour
from connectors.demo.motion import Course, Leg, Motion, Wait
from connectors.demo.person import Outfit, drawn_outfit

LENGTH = 75.0
"""Seconds of one loop."""

_HALL, _STORE = (-5.3, 22.4), (6.2, 22.4)  # the two open doors
_IN_HALL, _IN_STORE = (-8.6, 23.6), (9.4, 23.6)  # behind the wall, out of sight beside them


@dataclass(frozen=True, slots=True)
class Role:
    """One person: dressed by `seed`, at `start` seconds into the film, with a box or without."""

    name: str
    seed: int
    start: float
    course: Course
    load: Box | None = None

    @property
    def outfit(self) -> Outfit:
        """What the person wears throughout."""
        return drawn_outfit(np.random.default_rng(self.seed), HELD_OUT)

    def at(self, time: float) -> Motion | None:
        """The moment `time` of the film, None while out of sight."""
        since = (time - self.start) % LENGTH
        return self.course.at(since) if since <= self.course.duration else None


_CARTON = Box("kraft", (0.42, 0.56, 0.42), colour("C2935F"))
_PARCEL = Box("kraft", (0.38, 0.50, 0.36), colour("D2AC7E"))
_WEST = math.pi
_SOUTH = -math.pi / 2


def _walk(*points: tuple[float, float], speed: float = 1.35) -> Course:
    return Course((Leg(points, speed),))


ROLES = (
    # through the loading zone
    Role(
        "hurrying",
        3,
        0.0,
        _walk(
            _IN_STORE,
            (6.6, 23.2),
            _STORE,
            (5.6, 18.5),
            (4.4, 14.5),
            (3.0, 11.4),
            (1.2, 9.2),
            (-2.5, 8.3),
            (-7.0, 8.0),
            speed=1.75,
        ),
    ),
    Role(
        "looking",
        11,
        15.6,
        Course(
            (
                Leg((_IN_STORE, (6.6, 23.2), _STORE, (5.2, 18.0), (3.6, 14.6), (2.9, 12.6)), 1.3),
                Wait(4.0, -0.9, "phone"),
                Leg(((2.9, 12.6), (2.6, 11.4), (2.7, 9.9)), 0.9),
                Wait(4.2, 0.75, "talk"),
                Leg(((2.7, 9.9), (1.2, 9.2), (-1.5, 8.8), (-7.2, 8.5)), 1.35),
            )
        ),
    ),
    Role(
        "pair, her",
        21,
        40.0,
        _walk(
            (-7.5, 10.2), (-2.5, 9.9), (1.0, 10.4), (3.4, 12.3), (6.2, 13.3), (9.6, 14.4), speed=1.5
        ),
    ),
    Role(
        "pair, him",
        35,
        40.5,
        _walk(
            (-7.5, 11.0),
            (-2.6, 10.7),
            (0.8, 11.2),
            (3.2, 12.9),
            (6.0, 14.0),
            (9.6, 15.2),
            speed=1.5,
        ),
    ),
    Role(
        "short cut",
        8,
        57.3,
        _walk(
            _IN_STORE,
            (6.6, 23.2),
            _STORE,
            (5.4, 18.0),
            (4.2, 14.4),
            (3.5, 12.2),
            (4.9, 10.6),
            (7.8, 9.6),
            speed=1.6,
        ),
    ),
    # elsewhere in the yard
    Role(
        "talking, east",
        14,
        1.0,
        Course(
            (
                Leg(((-9.9, 13.8), (-7.4, 13.9), (-5.7, 13.2)), 1.3),
                Wait(13.0, _WEST, "talk"),
                Leg(((-5.7, 13.2), (-6.4, 14.4), (-11.0, 15.4)), 1.3),
            )
        ),
    ),
    Role(
        "talking, west",
        27,
        1.8,
        Course(
            (
                Leg(((-9.8, 12.7), (-8.0, 12.8), (-6.7, 13.1)), 1.3),
                Wait(12.0, 0.0, "talk"),
                Leg(((-6.7, 13.1), (-5.6, 11.6), (-4.2, 9.8), (-2.6, 8.0), (-2.2, 5.8)), 1.3),
            )
        ),
    ),
    Role(
        "carton out",
        5,
        8.0,
        _walk(
            _IN_STORE, (6.6, 23.2), _STORE, (5.4, 19.6), (1.5, 17.4), (-4.0, 16.6), (-11.5, 16.4)
        ),
        _CARTON,
    ),
    Role(
        "parcel in",
        42,
        26.0,
        _walk(
            (-11.5, 17.6), (-6.0, 17.8), (0.0, 18.2), (4.6, 19.6), _STORE, (6.6, 23.2), _IN_STORE
        ),
        _PARCEL,
    ),
    Role("eastbound", 19, 12.0, _walk((-12.5, 19.3), (-4.0, 19.0), (5.0, 17.0), (10.8, 16.8))),
    Role(
        "smoke break",
        31,
        11.0,
        Course(
            (
                Leg((_IN_HALL, (-5.6, 23.0), (-4.9, 22.2), (-2.6, 20.6)), 1.2),
                Wait(6.5, _SOUTH, "phone"),
                Leg(((-2.6, 20.6), (-4.9, 21.6), _HALL, (-5.6, 23.0), _IN_HALL), 1.2),
            )
        ),
    ),
    Role("westbound", 45, 31.0, _walk((10.6, 15.6), (4.0, 16.2), (-3.0, 15.0), (-10.0, 14.4))),
    Role(
        "checking",
        52,
        46.0,
        Course(
            (
                Leg(((11.8, 18.6), (9.4, 18.4), (8.2, 18.6)), 1.25),
                Wait(9.0, 0.9, "phone"),
                Leg(((8.2, 18.6), (7.0, 17.2), (9.6, 15.9), (11.2, 15.8)), 1.25),
            )
        ),
    ),
    Role(
        "to work",
        60,
        52.0,
        _walk(
            (-7.2, 9.0),
            (-3.8, 9.4),
            (-1.0, 12.0),
            (0.6, 16.6),
            (3.6, 19.6),
            _STORE,
            (6.6, 23.2),
            _IN_STORE,
        ),
    ),
    Role(
        "strolling",
        77,
        62.0,
        _walk((11.0, 16.6), (7.0, 16.4), (0.0, 18.4), (-6.0, 18.8), (-11.8, 18.8), speed=1.25),
    ),
    Role("near, in", 71, 21.0, _walk((-1.3, 5.9), (-1.8, 8.4), (-4.2, 10.0), (-9.0, 11.4))),
    Role("near, out", 83, 33.0, _walk((-8.6, 12.6), (-5.4, 10.8), (-2.6, 8.8), (-2.0, 5.8))),
    Role(
        "colleague",
        88,
        47.0,
        Course(
            (
                Leg(((12.4, 17.0), (10.6, 17.8), (9.4, 18.4)), 1.25),
                Wait(12.0, _WEST, "talk"),
                Leg(((9.4, 18.4), (10.4, 19.2), (13.0, 19.4)), 1.25),
            )
        ),
    ),
    Role(
        "counting",
        93,
        54.0,
        Course(
            (
                Leg(((-12.2, 17.0), (-10.4, 18.4), (-9.0, 19.0)), 1.25),
                Wait(8.0, 1.7, "phone"),
                Leg(((-9.0, 19.0), (-10.0, 17.6), (-12.4, 16.6)), 1.25),
            )
        ),
    ),
    Role("crossing east", 97, 34.0, _walk((-12.3, 18.2), (-3.0, 18.8), (4.0, 17.6), (11.8, 17.4))),
    Role(
        "parcel out",
        104,
        58.0,
        _walk(_IN_STORE, (6.6, 23.2), _STORE, (6.2, 20.0), (8.8, 17.6), (10.6, 16.8)),
        _PARCEL,
    ),
    Role("near, late", 108, 63.0, _walk((-7.4, 9.6), (-4.6, 9.2), (-2.2, 8.2), (-1.9, 5.8))),
    Role(
        "homeward, him",
        113,
        66.0,
        _walk((-9.6, 13.6), (-5.0, 12.8), (-2.4, 11.6), (-1.4, 9.0), (-1.0, 5.8), speed=1.25),
    ),
    Role(
        "homeward, her",
        131,
        66.4,
        _walk((-9.6, 14.4), (-4.6, 13.4), (-1.6, 11.8), (-0.6, 9.0), (-0.2, 5.8), speed=1.25),
    ),
    Role(
        "morning",
        127,
        70.5,
        _walk((11.0, 15.4), (4.0, 15.4), (-3.0, 14.6), (-7.0, 15.6), (-10.6, 16.6), speed=1.4),
    ),
    Role(
        "errand",
        139,
        42.0,
        _walk(
            (-8.2, 9.4),
            (-5.2, 9.8),
            (-3.2, 12.4),
            (-1.8, 16.0),
            (3.8, 19.2),
            (5.4, 21.0),
            _STORE,
            (6.6, 23.2),
            _IN_STORE,
            speed=1.45,
        ),
    ),
    Role(
        "late carton",
        66,
        66.5,
        _walk(
            (-11.6, 18.8), (-5.0, 19.4), (2.0, 18.6), (5.2, 20.0), _STORE, (6.6, 23.2), _IN_STORE
        ),
        _CARTON,
    ),
)
"""Everybody on foot, by the second."""
