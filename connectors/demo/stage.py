"""The demo film's stage: one yard, its loading zone, and what never moves in it.

It wears the held-out looks: the model has seen none of them in training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from connectors.demo.boxes import Box
from connectors.demo.cuboid import Stand
from connectors.demo.geometry import Camera, FloatArray
from connectors.demo.light import Light
from connectors.demo.looks import colour
from connectors.demo.props import bollard, cone, drum, pallet, planter
from connectors.demo.render import Thing
from connectors.demo.scene import box_thing
from connectors.demo.yard import Opening, Yard

CAMERA = Camera(height=5.0, pitch=math.radians(16.5), focal=760.0)

LOADING_ZONE_GROUND = ((1.8, 8.8), (5.0, 8.8), (5.0, 13.2), (1.8, 13.2))
"""The marked zone that nobody should enter on foot: corners (x, y) on the ground in metres."""

LOADING_ZONE = ((0.6668, 0.8780), (0.9633, 0.8780), (0.8245, 0.6206), (0.6168, 0.6206))
"""The same corners in the picture, as fractions of its width and height."""

_OCHRE, _SLATE = colour("D08C3C"), colour("59616B")

YARD = Yard(
    ground="pavers",
    wall="timber",
    wall_paint=colour("5F7F7A"),
    wall_at=22.0,
    wall_height=3.9,
    openings=(
        Opening("window", -12.0, 1.3, 0.0, _SLATE),
        Opening("window", -9.6, 1.3, 0.0, _SLATE),
        Opening("doorway", -7.0, 3.4, 3.1, _OCHRE),
        Opening("leaf", -2.4, 0.95, 2.1, _OCHRE),
        Opening("window", -0.5, 1.3, 0.0, _SLATE),
        Opening("window", 1.9, 1.3, 0.0, _SLATE),
        Opening("doorway", 4.6, 3.2, 3.0, _OCHRE),
        Opening("shutter", 9.2, 3.0, 3.0, _OCHRE),
    ),
    zone=LOADING_ZONE_GROUND,
    marking=colour("FFD23F"),
    seed=7,
)


def lying(light: Light, eye: FloatArray) -> Iterator[Thing]:
    """Stacks, cones, posts, plants and drums."""
    for box, stand in _STACKS:
        yield box_thing(box, stand, light, eye)
    for x, y in ((1.45, 13.5), (5.35, 13.5)):
        yield cone(x, y)
    for x in (-7.4, -3.2, 4.2, 8.2):
        yield bollard(x, 21.4, colour("D08C3C"))
    for x, y in ((-11.1, 21.3), (0.2, 21.4), (2.5, 21.4)):
        yield planter(x, y, light, eye, int(10 * x) % 97)
    yield drum(10.6, 20.9, colour("3D6B66"))
    yield drum(11.3, 20.6, colour("B56576"))
    yield pallet(Stand(-7.9, 19.4, 0.0, 0.3), light, eye)


_STACKS = (
    (Box("slatted", (1.0, 0.9, 0.8), colour("A8794A")), Stand(-9.3, 20.4, 0.0, 0.1)),
    (Box("kraft", (0.8, 0.7, 0.55), colour("D2AC7E")), Stand(-9.3, 20.4, 0.8, 0.2)),
    (Box("kraft", (0.9, 0.8, 0.7), colour("C2935F")), Stand(-8.1, 20.7, 0.0, -0.15)),
    (Box("slatted", (1.0, 0.9, 0.75), colour("D6B98A")), Stand(8.9, 20.5, 0.0, 0.05)),
    (Box("kraft", (0.7, 0.6, 0.45), colour("B07F4B")), Stand(8.9, 20.5, 0.75, -0.2)),
)
