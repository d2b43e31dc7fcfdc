"""Which partitions each member gets: pure.

Cameras are spread evenly and moved rarely. A partition that moves goes to nobody at first: the
member that has it puts its cameras to rest, says so by joining again without it, and only then it
is given away (as KIP-429 has it for consumers in Java).
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

Members = Mapping[str, Collection[int]]
"""The partitions that each member has."""


class Claim(msgspec.Struct, frozen=True):
    """What a member says when it joins: the last ``turn`` of the group that it knows, and the
    partitions whose cameras may be running there, each with the turn that gave it last.
    """

    turn: int = 0
    held: Mapping[int, int] = {}

    def given(self, turn: int, partitions: Iterable[int]) -> "Claim":
        """With what a turn gave. What it did not give is still claimed, as what it was."""
        return Claim(turn, {**self.held, **dict.fromkeys(partitions, turn)})

    def without(self, released: Collection[int]) -> "Claim":
        """When the cameras of some partitions are at rest."""
        return Claim(self.turn, {at: by for at, by in self.held.items() if at not in released})

    def doubted(self) -> "Claim":
        """When the group has thought the member dead: what it had is whoever's claims it now."""
        return Claim(self.turn, dict.fromkeys(self.held, 0))


def held(claims: Mapping[str, Claim]) -> dict[str, set[int]]:
    """What each member has. Of two that claim one partition, one was thought dead meanwhile: to the
    other one it was given in a later turn.
    """
    owner: dict[int, tuple[int, str]] = {}
    for member, claim in claims.items():
        for at, turn in claim.held.items():
            owner[at] = max(owner.get(at, (-1, "")), (turn, member))
    return {member: {at for at, (_, by) in owner.items() if by == member} for member in claims}


def shares(members: Members, load: Mapping[int, int], partitions: int) -> dict[str, set[int]]:
    """What each member gets now; what another one still has is given to nobody.

    ``load`` is the number of cameras of each partition. Those without any are spread as well: the
    next camera may come to one of them.
    """
    loaded = {at: load[at] for at in range(partitions) if load.get(at)}
    empty = {at: 1 for at in range(partitions) if not load.get(at)}
    aims = [_spread(members, weights) for weights in (loaded, empty)]
    taken = {at: member for member, having in members.items() for at in having}
    return {
        member: {at for aim in aims for at in aim[member] if taken.get(at, member) == member}
        for member in members
    }


def _spread(members: Members, weights: Mapping[int, int]) -> dict[str, set[int]]:
    """Everything of ``weights`` given to somebody; as little as possible is taken from anybody."""
    aim = {member: {at for at in having if at in weights} for member, having in members.items()}
    total = {member: sum(weights[at] for at in having) for member, having in aim.items()}

    def give(at: int, to: str) -> None:
        aim[to].add(at)
        total[to] += weights[at]

    free = weights.keys() - {at for having in aim.values() for at in having}
    for at in sorted(free, key=lambda each: (-weights[each], each)):
        give(at, min(sorted(members), key=total.__getitem__))
    while True:
        least = min(sorted(members), key=total.__getitem__)
        for most in sorted(members, key=lambda member: (-total[member], member)):
            best = _best(aim[most], weights, total[most] - total[least])
            if best is not None:
                break
        else:
            return aim
        aim[most].remove(best)
        total[most] -= weights[best]
        give(best, least)


def _best(having: Iterable[int], weights: Mapping[int, int], difference: int) -> int | None:
    """What best evens out a difference; None where each would only turn it round."""
    fitting = [at for at in having if weights[at] < difference]
    return min(fitting, key=lambda at: (abs(difference - 2 * weights[at]), at), default=None)
