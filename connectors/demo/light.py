"""Daylight: where the sun stands, how deep its shadows are and how the picture is graded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from connectors.demo.geometry import Colour, FloatArray, scaled


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one frame.

    `azimuth` and `elevation` of the sun in radians (azimuth 0 is +x, pi/2 is +y), `shadow` from 0
    (overcast) to 1, `level` the exposure (1 is plain day), `warmth` from -1 (blue) to 1 (golden).
    """

    azimuth: float = math.radians(125)
    elevation: float = math.radians(48)
    shadow: float = 0.5
    level: float = 1.0
    warmth: float = 0.15

    @property
    def sun(self) -> FloatArray:
        """The unit vector towards the sun, shape (3,)."""
        flat = math.cos(self.elevation)
        return np.array(
            [
                flat * math.cos(self.azimuth),
                flat * math.sin(self.azimuth),
                math.sin(self.elevation),
            ]
        )

    def on_face(self, colour: Colour, normal: FloatArray) -> Colour:
        """The colour of a flat face whose unit normal is `normal`, shape (3,)."""
        # skylight from above keeps the faces turned away from the sun readable
        direct = max(0.0, float(normal @ self.sun))
        sky = 0.5 + 0.5 * float(normal[2])
        return scaled(colour, 0.60 + 0.16 * sky + (0.16 + 0.22 * self.shadow) * direct)

    def gains(self) -> Colour:
        """What blue, green and red are multiplied with at the end."""
        return (
            self.level * (1 - 0.10 * self.warmth),
            self.level,
            self.level * (1 + 0.07 * self.warmth),
        )


def drawn_light(rng: np.random.Generator) -> Light:
    """A random hour and weather."""
    return Light(
        azimuth=math.radians(rng.uniform(20, 160) if rng.random() < 0.8 else rng.uniform(200, 340)),
        elevation=math.radians(rng.uniform(28, 68)),
        shadow=float(rng.uniform(0.12, 0.62)),
        level=float(rng.uniform(0.8, 1.15)),
        warmth=float(rng.uniform(-0.8, 1.0)),
    )
