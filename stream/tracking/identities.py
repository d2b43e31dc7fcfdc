"""ByteTrack (arXiv 2110.06864) as a value: a camera's identities go in, and come out changed.

Boxes move by a Kalman filter in seconds (`stream.tracking.motion`). Confident instances are paired
first, then the others with what is left, so that somebody half hidden keeps their identity. Only
equal labels are paired.

Where it departs from the paper: an instance below `STRONG` may begin an identity too, which is
reported from its second result on (the paper drops it); one at or above `STRONG` is reported at
once (the paper waits for the next frame). Closeness is the plain IoU, not weighed by the score.
At the end, who was seen a moment ago and has no overlap with anything is looked for nearby, which
matters at low frame rates alone.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from stream.tracking.association import Flags, Rows, box_iou, nearness, pairs
from stream.tracking.motion import ROW_BYTES, Floats, Motion, begin, boxes_of, correct, predict
from stream.types import Instance, Point, Result, Size, Track

STRONG = 0.5
"""Score of a confident instance: ByteTrack's ``track_thresh``."""
FIRST_IOU, SECOND_IOU, TENTATIVE_IOU = 0.2, 0.3, 0.3
"""Overlap that a pair needs among the confident, the others, and identities seen once.

ByteTrack has the distances (1 - IoU) 0.8, 0.5 and 0.7. Its second is stricter because it takes
scores from 0.1 on; here they begin at the model's threshold, and at 0.5 a person who walks out of
the picture lost their identity on the way."""
REACH_PER_S = 2.0
"""How far from where it is expected an identity is looked for last, in its heights a second.

At a low frame rate a walker's boxes do not overlap. Walking is about one height a second."""
MEMORY_US = 3_000_000
"""An identity that results do not show for longer than this is forgotten. ByteTrack has 30 frames
(1 s); people turn, bend and pass behind each other for longer than that."""
UNSEEN_MAX = 300
"""Identities out of sight that are remembered, the last seen first: as many as a model gives in
one picture. It bounds the state of a camera whose picture flickers."""
STEP_US = 1_000_000
"""The most that one result moves and ages identities: in a longer silence, or before a new epoch,
nobody knows what they did, so they are looked for near where they were."""
OUTAGE_US = 30_000_000
"""A silence after which all are forgotten."""


class Identity(Struct, frozen=True):
    """Somebody or something that has been seen. ``id`` is camera/epoch/seq/index of its birth.

    A tentative identity (not ``confirmed``) was seen once and not clearly; it is not reported yet.
    ``missed_us`` is how long results have not shown it, 0 when the last one did.
    """

    id: str
    label: str
    confirmed: bool
    missed_us: int


class Identities(Struct, frozen=True):
    """What tracking knows of one camera: ``motion`` is that of ``known``, one by one, as bytes.

    ``time_us`` and ``size`` are those of the last result; there is none at first. Raises
    ValueError where ``motion`` is not that of so many, as in a damaged state.
    """

    time_us: int = 0
    size: Size | None = None
    known: tuple[Identity, ...] = ()
    motion: bytes = b""

    def __post_init__(self) -> None:
        if len(self.motion) != ROW_BYTES * len(self.known):
            raise ValueError(f"motion: {len(self.motion)} bytes for {len(self.known)} identities")


def track(state: Identities, result: Result) -> tuple[Identities, tuple[Track, ...]]:
    """Who of ``state`` each instance of ``result`` is, and who is new.

    Results of a camera come in order, once each. Identities live on into a new epoch of the same
    size if its time goes on within 30 s; a new size or an earlier time forgets them. The tracks
    are those that this result shows, in the order of its instances, without zones.
    """
    since_us = result.time_us - state.time_us
    if result.size != state.size or not 0 <= since_us <= OUTAGE_US:
        state, since_us = Identities(), 0
    if not state.known and not result.instances:  # most pictures of most cameras: 0.4 ms saved
        return Identities(result.time_us, result.size), ()
    step_us = min(since_us, STEP_US)
    motion = _moved(state, step_us)
    boxes = _boxes(result)
    found = _matches(state, motion, result, boxes, step_us)

    seen, unseen = np.flatnonzero(found >= 0), _remembered(state, found, step_us)
    born = np.flatnonzero(~np.isin(np.arange(len(boxes)), found))
    shown = {
        int(found[row]): structs.replace(state.known[row], confirmed=True, missed_us=0)
        for row in seen
    } | {int(index): _born(result, int(index)) for index in born}
    known = (*shown.values(), *(_aged(state.known[row], step_us) for row in unseen))
    after = (
        correct(motion.take(seen), boxes[found[seen]])
        .joined(begin(boxes[born]))
        .joined(motion.take(unseen))
    )
    state = Identities(result.time_us, result.size, known, after.to_bytes())
    return state, tuple(
        _reported(shown[index], result, index) for index in sorted(shown) if shown[index].confirmed
    )


def _boxes(result: Result) -> Floats:
    """The boxes (n, 4) of the instances, within the frame: no number, however wild, can do harm."""
    height, width = result.size
    boxes = np.array([instance.box for instance in result.instances], np.float64)
    return boxes.reshape(-1, 4).clip(0, (width, height, width, height))


def _moved(state: Identities, step_us: int) -> Motion:
    """Where all are now. Who is out of sight keeps their height, as in ByteTrack."""
    motion = Motion.from_bytes(state.motion)
    velocity = motion.velocity.copy()
    velocity[[identity.missed_us > 0 for identity in state.known], 3] = 0
    return predict(motion._replace(velocity=velocity), step_us / 1e6)


def _matches(
    state: Identities, motion: Motion, result: Result, boxes: Floats, step_us: int
) -> Rows:
    """For each known identity the index of its instance, or -1."""
    known, instances = state.known, result.instances
    found, free = np.full(len(known), -1, np.intp), np.ones(len(instances), bool)
    if not known or not instances:
        return found
    sure = np.array([identity.confirmed for identity in known])
    strong = np.array([instance.score >= STRONG for instance in instances])
    same = _labels(known)[:, None] == _labels(instances)
    predicted = boxes_of(motion)
    overlap = box_iou(predicted, boxes) * same
    _pair(found, free, overlap, (sure, strong), FIRST_IOU)
    _pair(found, free, overlap, (sure, ~strong), SECOND_IOU)
    _pair(found, free, overlap, (~sure, free), TENTATIVE_IOU)
    lately = sure & np.array([identity.missed_us == 0 for identity in known])
    if free.any() and (lately & (found < 0)).any():
        near = nearness(predicted, boxes, REACH_PER_S * step_us / 1e6) * same
        _pair(found, free, near, (lately, free), 0.0)
    return found


def _pair(
    found: Rows, free: Flags, closeness: Floats, among: tuple[Flags, Flags], least: float
) -> None:
    """Write into ``found`` and ``free`` the pairs of those identities and instances yet alone."""
    rows = np.flatnonzero(among[0] & (found < 0))
    columns = np.flatnonzero(among[1] & free)
    row, column = pairs(closeness[np.ix_(rows, columns)], least)
    found[rows[row]] = columns[column]
    free[columns[column]] = False


def _labels(some: Sequence[Identity | Instance]) -> NDArray[np.str_]:
    return np.array([one.label for one in some])


def _remembered(state: Identities, found: Rows, step_us: int) -> Rows:
    """The rows of identities that this result does not show, and that are not forgotten."""
    rows = [
        row
        for row, identity in enumerate(state.known)
        if found[row] < 0 and identity.confirmed and identity.missed_us + step_us <= MEMORY_US
    ]
    rows.sort(key=lambda row: state.known[row].missed_us)
    return np.array(rows[:UNSEEN_MAX], np.intp)


def _aged(identity: Identity, step_us: int) -> Identity:
    return structs.replace(identity, missed_us=identity.missed_us + max(step_us, 1))


def _born(result: Result, index: int) -> Identity:
    instance = result.instances[index]
    sure = instance.score >= STRONG
    return Identity(f"{result.id}/{index}", instance.label, confirmed=sure, missed_us=0)


def _reported(identity: Identity, result: Result, index: int) -> Track:
    instance = result.instances[index]
    return Track(
        id=identity.id,
        label=instance.label,
        score=instance.score,
        box=instance.box,
        contact=_stands(instance),
        zones=(),
        instance=index,
    )


def _stands(instance: Instance) -> Point:
    """The contact point of the mask; of a mask without a pixel, the foot of its box."""
    if instance.mask.area:
        return instance.mask.contact
    left, _, right, bottom = instance.box
    return ((left + right) / 2, bottom)
