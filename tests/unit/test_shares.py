"""Who runs which partition: evenly, with few moves, and never in two places."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.shares import Claim, held, shares

PARTITIONS = 12
LOAD = st.dictionaries(st.integers(0, PARTITIONS - 1), st.integers(1, 5))
CLAIMS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.builds(
        Claim,
        st.just(3),
        st.dictionaries(st.integers(0, PARTITIONS - 1), st.integers(0, 3)),
    ),
    min_size=1,
)


def settled(having: Mapping[str, set[int]], load: Mapping[int, int]) -> dict[str, set[int]]:
    """What members have once each has let go of what it lost, and all was given away."""
    for _ in range(3):
        having = shares(having, load, PARTITIONS)
    return dict(having)


def cameras(having: set[int], load: Mapping[int, int]) -> int:
    return sum(load.get(at, 0) for at in having)


@given(CLAIMS)
def test_a_partition_that_two_claim_is_the_later_ones(claims: dict[str, Claim]) -> None:
    owned = held(claims)
    assert owned.keys() == claims.keys()
    for at in range(PARTITIONS):
        turns = {member: claim.held[at] for member, claim in claims.items() if at in claim.held}
        owners = [member for member, having in owned.items() if at in having]
        assert len(owners) == bool(turns)
        assert all(turns[member] == max(turns.values()) for member in owners)


@given(CLAIMS, LOAD)
def test_what_a_member_has_is_given_to_no_other(
    claims: dict[str, Claim], load: dict[int, int]
) -> None:
    having = held(claims)
    for member, given_now in shares(having, load, PARTITIONS).items():
        assert not any(given_now & other for name, other in having.items() if name != member)


@given(CLAIMS, LOAD)
def test_in_the_end_each_partition_is_given_and_no_move_would_make_it_more_even(
    claims: dict[str, Claim], load: dict[int, int]
) -> None:
    end = settled(held(claims), load)
    assert sorted(at for having in end.values() for at in having) == list(range(PARTITIONS))
    assert settled(end, load) == end
    most = max(end, key=lambda member: cameras(end[member], load))
    least = min(cameras(having, load) for having in end.values())
    over = cameras(end[most], load) - least
    assert all(load[at] >= over for at in end[most] if at in load)


def test_who_comes_gets_its_part_and_no_more_is_moved() -> None:
    load = dict.fromkeys(range(PARTITIONS), 2)
    alone = settled({"a": set()}, load)
    assert alone == {"a": set(range(PARTITIONS))}
    both = shares({**alone, "b": set()}, load, PARTITIONS)
    assert len(both["a"]) == 6
    assert both["b"] == set(), "they are not at rest yet"
    assert settled({**both, "b": set()}, load) == {"a": both["a"], "b": alone["a"] - both["a"]}


def test_cameras_count_and_not_partitions() -> None:
    load = {0: 9, 1: 3, 2: 3, 3: 3}
    end = settled({"a": set(), "b": set()}, load)
    assert sorted(cameras(having, load) for having in end.values()) == [9, 9]
    assert {len(having - load.keys()) for having in end.values()} == {4}


def test_where_the_fullest_can_give_nothing_the_next_one_does() -> None:
    """One partition with two cameras cannot be parted; two partitions with one each can."""
    end = settled({"a": set(), "b": {0, 1}, "c": set()}, {0: 1, 1: 1, 2: 2})
    assert {name: having & {0, 1, 2} for name, having in end.items()} == {
        "a": {2}, "b": {1}, "c": {0},
    }  # fmt: skip


def test_of_three_one_that_dies_leaves_its_part_to_both_others() -> None:
    load = dict.fromkeys(range(PARTITIONS), 1)
    three = settled({"a": set(), "b": set(), "c": set()}, load)
    two = shares({"a": three["a"], "b": three["b"]}, load, PARTITIONS)
    assert three["a"] < two["a"]
    assert three["b"] < two["b"]
    assert {len(having) for having in two.values()} == {6}


def test_who_was_thought_dead_gets_nothing_back_by_claiming_it_again() -> None:
    zombie = Claim().given(1, [0, 1]).given(2, [0])
    heir = Claim().given(2, [1])
    assert held({"zombie": zombie, "heir": heir}) == {"zombie": {0}, "heir": {1}}
    late = zombie.given(3, [0])
    assert held({"zombie": late, "heir": heir.given(3, [1])}) == {"zombie": {0}, "heir": {1}}
    assert late.without([1]) == Claim(3, {0: 3})


def test_who_was_thought_dead_gives_way_to_a_group_that_began_anew() -> None:
    zombie = Claim().given(40, [0, 1]).doubted()
    heir = Claim().given(1, [1])
    assert held({"zombie": zombie, "heir": heir}) == {"zombie": {0}, "heir": {1}}
