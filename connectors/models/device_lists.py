"""Flat lists of things of many lengths, in arrays of one fixed size.

How long a list is is known on the device alone; the arrays have room for so many items, and those
beyond the end belong to nothing: what is read or written there does no harm.
"""

from typing import Any, NamedTuple

import torch

Tensor = Any


class Flat(NamedTuple):
    """A list of the items of n owners, one owner after the other, with room for so many.

    ``owner`` (room,) of each item, ``begin`` (n,) where each owner's items begin, ``total`` () how
    many items there are, which may be more than there is room for.
    """

    owner: Tensor
    begin: Tensor
    total: Tensor

    def is_item(self, at: Tensor) -> Tensor:
        """Whether there is an item at the places ``at``."""
        return at < self.total


def flat(lengths: Tensor, room: int) -> Flat:
    """The list of so many items each: ``lengths`` (n,) int64, none negative."""
    ends = lengths.cumsum(0)
    begin = ends - lengths
    # An owner begins where all before it have ended: those that have begun are counted.
    begun = torch.zeros(room + 1, dtype=torch.int32, device=lengths.device)
    begun.index_add_(0, begin.clamp_max(room), begun.new_ones(1).expand(len(begin)))
    return Flat(begun[:room].cumsum(0) - 1, begin, ends[-1])


def take(values: Tensor, at: Tensor) -> Tensor:
    """``values`` at these places, and some other value for places that are outside."""
    return values.index_select(0, at.clamp(0, len(values) - 1))
