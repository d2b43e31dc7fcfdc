"""A jointed walking person, posed from a gait phase.

Segment lengths are fractions of the body's height after Winter, Biomechanics and Motor Control of
Human Movement (fig. 4.1), with a slightly large head, which reads better at 60 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from connectors.demo.geometry import Colour, FloatArray, Solid, limb, scaled
from connectors.demo.looks import Looks, colour

STRIDE = 0.76
"""Metres walked in one gait cycle (two steps), per metre of body height."""

_UP = np.array([0.0, 0.0, 1.0])
_THIGH, _SHIN, _FOOT = 0.245, 0.246, 0.10
_UPPER_ARM, _FOREARM = 0.172, 0.155
_SWING = 0.44  # radians the thigh swings each way in a full stride


@dataclass(frozen=True, slots=True)
class Outfit:
    """What one person looks like; height in metres, build scales every width."""

    height: float
    build: float
    skin: Colour
    hair: Colour
    style: str
    hat: Colour
    top: Colour
    sleeves: str
    bottom: Colour
    cut: str
    shoes: Colour
    vest: Colour | None = None
    backpack: Colour | None = None
    bag: Colour | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a person stands, metres and radians, and what the limbs do.

    `phase` is the gait's angle in radians, `stride` its size (0 standing, 1 walking), `arms` one of
    'swing', 'carry', 'phone', 'talk', and `clock` seconds, for what moves while standing.
    """

    x: float
    y: float
    heading: float
    phase: float = 0.0
    stride: float = 0.0
    arms: str = "swing"
    clock: float = 0.0


class _Frame(NamedTuple):
    """The body's own axes and its height."""

    ahead: FloatArray
    left: FloatArray
    height: float

    def swung(self, angle: float) -> FloatArray:
        """Straight down, swung forward by `angle`."""
        return self.ahead * math.sin(angle) - _UP * math.cos(angle)


class _Leg(NamedTuple):
    hip: FloatArray
    knee: FloatArray
    ankle: FloatArray
    toe: FloatArray


def figure(outfit: Outfit, pose: Pose) -> list[Solid]:
    """The person's solids, farthest first for a camera that looks along +y."""
    ahead = np.array([math.cos(pose.heading), math.sin(pose.heading), 0.0])
    frame = _Frame(ahead, np.array([-ahead[1], ahead[0], 0.0]), outfit.height)
    legs = _legs(frame, pose)
    hips = (legs[0].hip + legs[1].hip) / 2
    chest = hips + (_UP * 0.30 + ahead * (0.012 + 0.02 * pose.stride)) * outfit.height
    solids = [*_legs_drawn(outfit, legs), *_trunk(outfit, frame, pose, hips, chest)]
    solids += _arms(outfit, frame, pose, chest)
    solids += _head(outfit, frame, chest)
    return sorted(solids, key=lambda s: s.nearer - float(s.points[:, 1].mean()))


def _legs(frame: _Frame, pose: Pose) -> list[_Leg]:
    """Both legs, left first, set down so that the lowest heel or toe is on the ground."""
    height, legs = frame.height, []
    ground = np.array([pose.x, pose.y, 0.0])
    for side in (1, -1):
        phase = pose.phase + (0.0 if side > 0 else math.pi)
        thigh = pose.stride * (_SWING * math.sin(phase) + 0.06)
        # the knee folds while the thigh swings forward
        fold = 0.06 + pose.stride * 0.85 * max(0.0, math.cos(phase + 0.1)) ** 2
        hip = ground + frame.left * (side * 0.052 * height)
        knee = hip + frame.swung(thigh) * (_THIGH * height)
        ankle = knee + frame.swung(thigh - fold) * (_SHIN * height)
        pitch = thigh - fold + (0.12 if fold < 0.3 else -0.1)
        toe = ankle + (frame.ahead * math.cos(pitch) + _UP * math.sin(pitch)) * (_FOOT * height)
        legs.append(_Leg(hip, knee, ankle, toe - _UP * 0.02 * height))
    lift = max(0.026 * height - leg.ankle[2] for leg in legs)
    lift = max(lift, *(0.018 * height - leg.toe[2] for leg in legs))
    return [_Leg(*(joint + _UP * lift for joint in leg)) for leg in legs]


def _legs_drawn(outfit: Outfit, legs: list[_Leg]) -> list[Solid]:
    wide = outfit.height * outfit.build
    solids = []
    for leg in legs:
        shin = outfit.bottom if outfit.cut == "trousers" else outfit.skin
        thigh = outfit.skin if outfit.cut == "skirt" else outfit.bottom
        solids.append(limb((leg.ankle, leg.toe), (0.024 * wide, 0.018 * wide), outfit.shoes))
        solids.append(limb((leg.knee, leg.ankle), (0.034 * wide, 0.024 * wide), shin))
        solids.append(limb((leg.hip, leg.knee), (0.050 * wide, 0.036 * wide), thigh))
    if outfit.cut == "skirt":
        ends = [leg.hip for leg in legs] + [leg.hip * 0.25 + leg.knee * 0.75 for leg in legs]
        radii = [0.055 * wide, 0.055 * wide, 0.07 * wide, 0.07 * wide]
        solids.append(limb(ends, radii, outfit.bottom, nearer=0.2))
    return solids


def _trunk(
    outfit: Outfit, frame: _Frame, pose: Pose, hips: FloatArray, chest: FloatArray
) -> list[Solid]:
    height, wide = outfit.height, outfit.height * outfit.build
    shoulders = _shoulders(outfit, frame, pose, chest)
    waist = [hips + _UP * 0.035 * height + frame.left * (s * 0.045 * wide) for s in (1, -1)]
    pelvis = [hips + frame.left * (s * 0.045 * wide) for s in (1, -1)]
    solids = [
        limb(pelvis + waist, [0.058 * wide] * 4, outfit.bottom),
        limb(shoulders + waist, [0.048 * wide] * 2 + [0.056 * wide] * 2, outfit.top),
    ]
    if outfit.vest is not None:
        solids += _vest(outfit, shoulders, waist)
    if outfit.backpack is not None:
        high = chest - frame.ahead * (0.10 * wide) - _UP * 0.02 * height
        low = high - _UP * (0.16 * height)
        corners = [p + frame.left * (s * 0.05 * wide) for p in (high, low) for s in (1, -1)]
        radii = [0.042 * wide] * 2 + [0.055 * wide] * 2
        solids.append(limb(corners, radii, outfit.backpack))
    return solids


def _vest(outfit: Outfit, shoulders: list[FloatArray], waist: list[FloatArray]) -> list[Solid]:
    wide = outfit.height * outfit.build
    vest = outfit.vest or outfit.top
    middle = [(s + w) / 2 for s, w in zip(shoulders, waist, strict=True)]
    inner = [0.86 * s + 0.14 * shoulders[1 - i] for i, s in enumerate(shoulders)]
    near = np.array([0.0, -0.012, 0.004])  # just in front of the shirt it is worn over
    bands = [
        limb([p + 4 * near for p in row], [0.012 * wide] * 2, (205.0, 220.0, 222.0))
        for row in (middle, [0.35 * m + 0.65 * w for m, w in zip(middle, waist, strict=True)])
    ]
    cloth = limb([p + near for p in inner + waist], [0.05 * wide] * 2 + [0.06 * wide] * 2, vest)
    return [cloth, *bands]


def _shoulders(outfit: Outfit, frame: _Frame, pose: Pose, chest: FloatArray) -> list[FloatArray]:
    # shoulders turn against the hips, by about seven degrees each way
    turn = -0.12 * pose.stride * math.sin(pose.phase)
    across = frame.left * math.cos(turn) + frame.ahead * math.sin(turn)
    reach = 0.080 * outfit.height * outfit.build
    return [chest + across * (side * reach) for side in (1, -1)]


def _arm_angles(pose: Pose, side: int) -> tuple[float, float]:
    """Upper arm's angle and the elbow's bend, radians, for the left (1) or right (-1) arm."""
    if pose.arms == "carry":
        return 0.30, 1.15
    if pose.arms == "phone" and side < 0:
        return 0.45, 2.05
    if pose.arms == "talk":
        wave = math.sin(pose.clock * 2.4 + side)
        return 0.22 + 0.15 * wave, 1.0 + 0.5 * math.sin(pose.clock * 3.1 + 2 * side)
    phase = pose.phase + (0.0 if side > 0 else math.pi)
    swing = -0.55 * pose.stride * math.sin(phase)
    return swing, 0.18 + 0.32 * pose.stride + 0.15 * max(0.0, swing)


def _arms(outfit: Outfit, frame: _Frame, pose: Pose, chest: FloatArray) -> list[Solid]:
    wide = outfit.height * outfit.build
    solids = []
    for side, shoulder in zip((1, -1), _shoulders(outfit, frame, pose, chest), strict=True):
        upper, bend = _arm_angles(pose, side)
        start = shoulder + frame.left * (side * 0.030 * wide)
        out = frame.left * (side * (0.12 if pose.arms == "swing" else 0.02))
        elbow = start + (frame.swung(upper) + out) * (_UPPER_ARM * outfit.height)
        wrist = elbow + (frame.swung(upper + bend) + out * 0.4) * (_FOREARM * outfit.height)
        sleeve = outfit.top if outfit.sleeves == "long" else outfit.skin
        solids.append(limb((start, elbow), (0.034 * wide, 0.027 * wide), outfit.top))
        solids.append(limb((elbow, wrist), (0.025 * wide, 0.019 * wide), sleeve))
        hand = wrist + (wrist - elbow) * 0.18
        solids.append(limb((hand,), (0.023 * wide,), outfit.skin))
        if side > 0 and outfit.bag is not None and pose.arms != "carry":
            solids += _bag(outfit, frame, hand)
    return solids


def _bag(outfit: Outfit, frame: _Frame, hand: FloatArray) -> list[Solid]:
    tint = outfit.bag or outfit.top
    top, low = hand - _UP * 0.09, hand - _UP * 0.30
    corners = [p + frame.ahead * s for p in (top, low) for s in (0.10, -0.10)]
    handle = limb((hand, top), (0.014, 0.02), scaled(tint, 0.7))
    return [handle, limb(corners, [0.05] * 4, tint)]


def _head(outfit: Outfit, frame: _Frame, chest: FloatArray) -> list[Solid]:
    height = outfit.height
    radius = 0.066 * height
    neck = chest + _UP * 0.03 * height
    head = chest + (_UP * 0.135 + frame.ahead * 0.012) * height
    back = -frame.ahead * (0.34 * radius)
    solids = [
        limb((neck, head), (0.028 * height, 0.03 * height), scaled(outfit.skin, 0.9)),
        limb((head, head - _UP * 0.35 * radius), (radius, 0.82 * radius), outfit.skin),
    ]
    for side in (1, -1):  # eyes: two pixels that tell which way somebody looks
        eye = head + frame.ahead * (0.93 * radius) + frame.left * (side * 0.36 * radius)
        solids.append(limb((eye,), (0.09 * radius,), (52.0, 46.0, 48.0)))
    crown = head + _UP * (0.26 * radius) + back
    if outfit.style != "bald":
        solids.append(limb((crown,), (0.98 * radius,), outfit.hair))
    if outfit.style == "long":
        nape = head - _UP * (1.3 * radius) + back * 1.6
        solids.append(limb((crown, nape), (0.9 * radius, 0.62 * radius), outfit.hair))
    if outfit.style == "bun":
        bun = head + _UP * (0.95 * radius) + back * 1.8
        solids.append(limb((bun,), (0.42 * radius,), outfit.hair))
    if outfit.style in {"cap", "helmet"}:
        solids += _hat(outfit, frame, head, radius)
    return solids


def _hat(outfit: Outfit, frame: _Frame, head: FloatArray, radius: float) -> list[Solid]:
    near = np.array([0.0, -0.05, 0.0])  # worn over the hair, whichever way the head looks
    crown = head + _UP * (0.50 * radius) + near
    size = 1.0 if outfit.style == "helmet" else 0.92
    brim = crown + frame.ahead * radius * 1.0 - _UP * 0.12 * radius
    low, high = crown - _UP * 0.1 * radius, crown + _UP * 0.22 * radius
    return [
        limb((low, high), (size * radius, 0.8 * radius), outfit.hat),
        limb((crown, brim), (0.5 * radius, 0.25 * radius), scaled(outfit.hat, 0.82)),
    ]


def drawn_outfit(rng: np.random.Generator, looks: Looks) -> Outfit:
    """A random person dressed from one family."""

    def pick(codes: tuple[str, ...]) -> Colour:
        return colour(codes[rng.integers(len(codes))])

    def maybe(chance: float, codes: tuple[str, ...]) -> Colour | None:
        return pick(codes) if rng.random() < chance else None

    styles = ("short", "short", "long", "long", "bun", "bald", "cap", "helmet")
    return Outfit(
        height=float(rng.uniform(1.52, 1.94)),
        build=float(rng.uniform(0.9, 1.28)),
        skin=pick(looks.skins),
        hair=pick(looks.hairs),
        style=str(rng.choice(styles)),
        hat=pick(looks.hats),
        top=pick(looks.tops),
        sleeves=str(rng.choice(("long", "short"))),
        bottom=pick(looks.bottoms),
        cut=str(rng.choice(("trousers", "trousers", "trousers", "shorts", "skirt"))),
        shoes=pick(looks.shoes),
        vest=maybe(0.22, looks.vests),
        backpack=maybe(0.2, looks.bags),
        bag=maybe(0.2, looks.bags),
    )
