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

from stream.masks import distinct, measure
from stream.tracking import MEMORY_US, STEP_US, UNSEEN_MAX
from stream.tracking.association import Flags, Rows, box_iou, nearness, pairs
from stream.tracking.motion import (
    ROW_BYTES,
    Floats,
    Motion,
    begin,
    boxes_of,
    correct,
    joined,
    predict,
)
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
    measure([instance.mask for instance in result.instances])
    step_us = min(since_us, STEP_US)
    motion = _moved(state, step_us)
    boxes = _boxes(result)
    found = _matches(state, motion, result, boxes, step_us)

    seen = (found >= 0).nonzero()[0]
    places = found[seen]
    born, unseen = _newcomers(result, places), _remembered(state, found, step_us)
    shown = {
        index: _shown(state.known[row])
        for row, index in zip(seen.tolist(), places.tolist(), strict=True)
    } | {index: _born(result, index) for index in born.tolist()}
    known = (*shown.values(), *(_aged(state.known[row], step_us) for row in unseen.tolist()))
    parts = [correct(motion.take(seen), boxes[places]), begin(boxes[born]), motion.take(unseen)]
    state = Identities(result.time_us, result.size, known, joined(parts).to_bytes())
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
    fields = Motion.from_bytes(state.motion).fields.copy()
    out_of_sight = [row for row, identity in enumerate(state.known) if identity.missed_us > 0]
    Motion(fields).velocity[out_of_sight, 3] = 0
    return predict(Motion(fields), step_us / 1e6)


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
    same = _same_label(known, instances)
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
    rows = (among[0] & (found < 0)).nonzero()[0]
    columns = (among[1] & free).nonzero()[0]
    if not rows.size or not columns.size:
        return
    row, column = pairs(closeness[rows[:, None], columns], least)
    found[rows[row]] = columns[column]
    free[columns[column]] = False


def _same_label(known: Sequence[Identity], instances: Sequence[Instance]) -> Flags:
    """Whether they have the same label: shape (known, instances). Numbers compare faster."""
    number_of: dict[str, int] = {}
    rows, columns = (
        np.array([number_of.setdefault(one.label, len(number_of)) for one in some])
        for some in (known, instances)
    )
    same: Flags = rows[:, None] == columns
    return same


def _newcomers(result: Result, places: Rows) -> Rows:
    """The instances beside those at ``places``, who are known, but for those that show somebody
    again whom another instance shows.

    A network finds somebody twice at times, with boxes that NMS keeps apart and masks that agree.
    """
    instances = result.instances
    known = np.zeros(len(instances), bool)
    known[places] = True
    new: list[int] = []
    for label in {instances[row].label for row in (~known).nonzero()[0].tolist()}:
        rows = [row for row, instance in enumerate(instances) if instance.label == label]
        # Who is known comes before who may be new, whatever the scores, which end at 1.
        ranks = [instances[row].score + 2 * known[row] for row in rows]
        kept = distinct([instances[row].mask for row in rows], ranks)
        new += (rows[place] for place in kept if not known[rows[place]])
    return np.array(sorted(new), np.intp)


def _remembered(state: Identities, found: Rows, step_us: int) -> Rows:
    """The rows of identities that this result does not show, and that are not forgotten."""
    rows = [
        row
        for row, identity in enumerate(state.known)
        if found[row] < 0 and identity.confirmed and identity.missed_us + step_us <= MEMORY_US
    ]
    rows.sort(key=lambda row: state.known[row].missed_us)
    return np.array(rows[:UNSEEN_MAX], np.intp)


def _shown(identity: Identity) -> Identity:
    if identity.confirmed and not identity.missed_us:
        return identity
    return structs.replace(identity, confirmed=True, missed_us=0)


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
    return (left / 2 + right / 2, bottom)
