"""The compressed COCO string, as pycocotools' ``rleToString`` writes it and ``rleFrString`` reads.

A string is a list of run lengths in column-major order, zeros first. Each length from the fourth
on is written as its difference to the one two before it, as a signed number of 5-bit groups, least
significant first, one character of ``chr(48 + group)`` each; bit 5 says that more follow.
Here all numbers of all masks go through each step at once.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stream.masks.runs import Edges, without_pairs

_GROUP = 31
_MORE = 32
_SIGN = 16
_LONGEST = 7
"""Characters that a difference of two int32 lengths can take: ceil((31 + 1) / 5)."""


def encode(edges: Sequence[Edges], pixels: Sequence[int]) -> list[str]:
    """The COCO string of each mask, from its run boundaries and its frame's number of pixels."""
    if not edges:
        return []
    lengths, first = _run_lengths(edges, pixels)
    text, widths = _write(_differences(lengths, first))
    cuts = [0, *np.cumsum(np.add.reduceat(widths, first, dtype=np.intp)).tolist()]
    return [text[start:end] for start, end in pairwise(cuts)]


def decode(pixels: int, counts: str) -> Edges:
    """The run boundaries that a COCO string stands for, in a frame of so many pixels.

    Runs of length 0, which other writers leave in, are taken out. Raises ValueError, saying what
    is wrong, on a foreign character, a truncated string, a run that is negative or longer than the
    frame, and runs that do not add up to the frame.
    """
    lengths = _read(counts)
    lengths[1::2].cumsum(out=lengths[1::2])
    lengths[2::2].cumsum(out=lengths[2::2])
    if lengths.min(initial=0) < 0 or lengths.max(initial=0) > pixels:
        run = int(np.argmax((lengths < 0) | (lengths > pixels)))
        raise ValueError(f"counts: run {run} is {lengths[run]} long; allowed is 0 to {pixels}")
    positions = lengths.cumsum()
    total = int(positions[-1]) if positions.size else 0
    if total != pixels:
        raise ValueError(f"counts: the runs add up to {total} pixels; the size has {pixels}")
    # The last boundary is the frame's own end: it closes a run of ones only at an even count.
    ends = positions.size - positions.size % 2
    return without_pairs(positions[:ends].astype(np.int32))


def _run_lengths(
    edges: Sequence[Edges], pixels: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The run lengths of all masks in one array, and where each mask's begin."""
    parts: list[NDArray[np.int32]] = []
    counted: list[int] = []
    for own, end in zip(edges, pixels, strict=True):
        closed = own.size > 0 and own[-1] == end
        parts.append(own)
        if not closed:
            parts.append(np.array([end], np.int32))
        counted.append(own.size + (not closed))
    lengths = np.concatenate(parts)
    first = np.cumsum([0, *counted[:-1]])
    starts = lengths[first]
    lengths[1:] -= lengths[:-1].copy()
    lengths[first] = starts
    return lengths, first


def _differences(lengths: NDArray[np.int32], first: NDArray[np.intp]) -> NDArray[np.int32]:
    """Each length less the one two before it; the first three of each mask as they are."""
    differences = lengths.copy()
    differences[2:] -= lengths[:-2]
    # Past a mask of one or two runs this reaches into its neighbour's first three: kept as well.
    kept = (first[:, None] + np.arange(3)).ravel()
    kept = kept[kept < lengths.size]
    differences[kept] = lengths[kept]
    return differences


def _write(numbers: NDArray[np.int32]) -> tuple[str, NDArray[np.uint8]]:
    """The characters of all numbers, and how many each number takes."""
    magnitude = numbers ^ (numbers >> 31)
    widths = np.ones(numbers.size, np.uint8)
    longest = 1
    while longest < _LONGEST and (wider := magnitude >= 1 << (5 * longest - 1)).any():
        widths += wider
        longest += 1
    # A zero byte stands where a number has no such character; `translate` takes them out.
    characters = np.empty((numbers.size, longest), np.uint8)
    for place in range(longest):
        group = (numbers >> 5 * place & _GROUP).astype(np.uint8)
        group += 48 + _MORE * (widths > place + 1).view(np.uint8)
        group *= widths > place
        characters[:, place] = group
    return characters.tobytes().translate(None, b"\0").decode("ascii"), widths


def _read(counts: str) -> NDArray[np.int64]:
    """The numbers in a string, differences as they stand."""
    groups = np.frombuffer(counts.encode("ascii", "replace"), np.uint8).astype(np.int64) - 48
    if groups.size == 0:
        return groups
    if groups.min() < 0 or groups.max() >= 2 * _MORE or not counts.isascii():
        at = next(i for i, character in enumerate(counts) if not "0" <= character <= "o")
        raise ValueError(f"counts: {counts[at]!r} at {at}; allowed are characters '0' to 'o'")
    (last,) = (groups < _MORE).nonzero()
    if last.size == 0 or last[-1] != groups.size - 1:
        raise ValueError("counts: truncated; the last character announces another")
    first = np.zeros_like(last)
    first[1:] = last[:-1] + 1
    widths = last - first + 1
    if widths.max() > _LONGEST:
        raise ValueError(f"counts: a number of {widths.max()} characters; allowed are {_LONGEST}")
    places = np.arange(groups.size) - first.repeat(widths)
    numbers: NDArray[np.int64] = np.add.reduceat((groups & _GROUP) << 5 * places, first)
    # The top bit of the last group is the sign, in two's complement.
    numbers -= (groups[last] & _SIGN) << 5 * widths - 4
    return numbers
