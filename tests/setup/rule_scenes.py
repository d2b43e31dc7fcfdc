"""What happens in the pictures of the rules: short scenes in the demo's yard, and a rule for each.

Places are on the ground, in metres (x to the right, y away from the camera); times in seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter

from connectors.demo.boxes import Box
from connectors.demo.cast import Role
from connectors.demo.cuboid import Stand
from connectors.demo.forklift import Forklift
from connectors.demo.looks import colour
from connectors.demo.motion import Course, Leg, Wait
from connectors.demo.render import Thing
from connectors.demo.scene import box_thing, forklift_thing
from connectors.demo.script import light_at, people_at
from connectors.demo.stage import CAMERA
from stream.rules import AnyRule, Rule
from stream.types import AlertState

LIGHT = light_at(0)
EYE = CAMERA.centre
VIEW = (436, 176, 804, 452)
"""What the camera of the scenes sees of the demo's picture: x1, y1, x2, y2 in pixels."""
PUSHED = (150, 120, 518, 396)
"""And what it sees once somebody has pushed it."""
ZONE = ((1.8, 8.8), (5.0, 8.8), (5.0, 13.2), (1.8, 13.2))
LINE = ((3.2, 8.6), (3.2, 13.6))

Place = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """A rule, what happens, and what is shown: moments, each with the state of the alert then.

    ``view_at`` says what the camera sees of the yard.
    """

    rule: AnyRule
    things_at: Callable[[float], list[Thing]]
    shown: tuple[tuple[float, AlertState | None], ...]
    view_at: Callable[[float], tuple[int, int, int, int]] = lambda _: VIEW
    fps: int = 4


def in_view(places: Sequence[Place]) -> tuple[Place, ...]:
    """Places on the ground as fractions of the scenes' picture, within it."""
    pixels, _ = CAMERA.project(np.array([(*place, 0.0) for place in places]))
    x1, y1, x2, y2 = VIEW
    parts = ((pixels + 0.5 - (x1, y1)) / (x2 - x1, y2 - y1)).clip(0, 1)
    return tuple((round(x, 4), round(y, 4)) for x, y in parts.tolist())


def scenes() -> dict[str, Scene]:
    """The scene of each kind."""
    return {
        "presence": Scene(
            _rule("presence", "keep-out", labels=["person"], overlap=0.3),
            _people(_walker(3, 0, (-1.6, 10.4), (3.4, 11.2), (8.4, 12.4))),
            ((1.75, None), (4.25, "opened"), (8.25, "resolved")),
        ),
        "dwell": Scene(
            _rule("dwell", "loiters", labels=["person"], overlap=0.3, duration="5s"),
            _people(
                _stayer(11, 0, 8.0, (-1.0, 11.4), (3.6, 10.6), (9.0, 11.6)),
                _walker(21, 1.5, (9.0, 12.6), (3.0, 12.4), (-2.0, 12.6)),
            ),
            ((4.25, None), (9.0, "opened"), (15.25, "resolved")),
        ),
        "count": Scene(
            _rule("count", "crowded", labels=["person"], overlap=0.3, at_least=3, **{"for": "1s"}),
            _people(
                _stayer(35, 0, 7.5, (-1.0, 11.2), (2.4, 11.0), (-3.0, 11.2)),
                _stayer(8, 1.5, 12, (8.0, 11.2), (3.9, 11.0), (8.0, 11.4)),
                _stayer(14, 2.5, 12, (8.0, 9.8), (2.95, 9.6), (8.0, 9.4)),
            ),
            ((4.5, None), (8.0, "opened"), (14.5, "resolved")),
        ),
        "absence": Scene(
            _rule("absence", "post-empty", labels=["person"], overlap=0.3, **{"for": "4s"}),
            _people(_guard()),
            ((1.0, None), (9.5, "opened"), (17.5, "resolved")),
        ),
        "coverage": Scene(
            _rule("coverage", "blocked", labels=["box"], at_least=0.35, **{"for": "2s"}),
            _pile,
            ((2.0, None), (8.0, "opened"), (13.0, "resolved")),
        ),
        "crossing": Scene(
            _rule("crossing", "one-way", labels=["person"], direction="left-to-right",
                  line=in_view(LINE), zone=None, camera="yard", resolve="1s"),
            _people(
                _walker(3, 0, (-1.0, 10.2), (3.4, 10.6), (8.4, 11.2)),
                _walker(42, 3.5, (8.4, 12.2), (3.4, 12.0), (-2.0, 12.0)),
            ),
            ((2.5, None), (4.0, "opened"), (9.0, "resolved")),
        ),
        "contact": Scene(
            _rule("contact", "too-near", labels=["forklift"], others=["person"], within=0.05,
                  zone=None, camera="yard"),
            _forklift_and_person,
            ((1.5, None), (4.75, "opened"), (9.5, "resolved")),
        ),
        "health": Scene(
            _rule("health", "yard-moved", conditions=["moved"], zone=None, camera="yard",
                  **{"for": "3s", "resolve": "2s"}),
            lambda _: _people(_stayer(52, -6, 60, (-1.0, 11.4), (3.4, 11.2), (8.0, 11.4)))(0),
            ((9.0, None), (15.5, "opened"), (21.5, "resolved")),
            view_at=lambda time: PUSHED if 10 <= time < 16 else VIEW,
        ),
    }  # fmt: skip


def _rule(kind: str, name: str, **settings: object) -> AnyRule:
    given = {"id": name, "kind": kind, "zone": "dock", **settings}
    given = {key: value for key, value in given.items() if value is not None}
    rule: AnyRule = TypeAdapter(Rule).validate_python(given)
    return rule


def _people(*roles: Role) -> Callable[[float], list[Thing]]:
    return lambda time: list(people_at(roles, time, LIGHT, EYE))


def _walker(seed: int, start: float, *points: Place) -> Role:
    return Role(f"walker {seed}", seed, start, Course((Leg(points, 1.35),)))


def _stayer(seed: int, start: float, stays: float, *points: Place) -> Role:
    """Comes to the middle one of three points, stays, and goes on to the last."""
    come, stay, leave = points
    moves = (Leg((come, stay), 1.35), Wait(stays, -0.9, "phone"), Leg((stay, leave), 1.35))
    return Role(f"stayer {seed}", seed, start, Course(moves))


def _guard() -> Role:
    post, away = (3.4, 10.4), (9.0, 11.0)
    moves = (
        Leg(((3.0, 10.6), post), 1.35),
        Wait(1.5, -0.9),
        Leg((post, away), 1.35),
        Wait(3.0),
        Leg((away, post), 1.35),
        Wait(9.0, -0.9),
        Leg((post, (3.0, 10.6)), 1.35),
    )
    return Role("guard", 27, 0, Course(moves))


def _pile(time: float) -> list[Thing]:
    """A box at first, three more from 4 s on, and none from 10 s on."""
    box = Box("kraft", (1.1, 1.0, 0.7), colour("C2935F"))
    low = Box("slatted", (1.2, 1.0, 0.6), colour("A8794A"))
    stands = [(box, 4.2, 12.2, 0.1), (low, 2.7, 11.9, -0.1), (box, 3.9, 10.4, 0.2),
              (low, 2.6, 10.0, 0.0)]  # fmt: skip
    here = stands[: 0 if time >= 10 else 4 if time >= 4 else 1]
    return [box_thing(each, Stand(x, y, 0.0, turn), LIGHT, EYE) for each, x, y, turn in here]


def _forklift_and_person(time: float) -> list[Thing]:
    """The forklift drives up, somebody steps in front of it and goes on."""
    drive = Course(
        (Leg(((-1.2, 12.4), (2.6, 12.4)), 1.5), Wait(60.0), Leg(((2.6, 12.4), (3, 12)), 1))
    )
    moment = drive.at(time)
    lift = Forklift(colour("D7263D"), 0.16, moment.travelled)
    stand = Stand(moment.x, moment.y, 0.0, moment.heading)
    person = _stayer(60, 0, 1.5, (7.6, 11.0), (4.6, 11.9), (8.2, 9.4))
    return [forklift_thing(lift, stand, LIGHT, EYE), *_people(person)(time)]
