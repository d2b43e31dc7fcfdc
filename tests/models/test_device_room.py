"""Room on the device follows what batches need, in powers of two, and is given up again."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.models.device_room import LEAST, MEMORY, Room, Rooms

needs = st.builds(Room, *[st.integers(0, 1 << 20)] * len(Room._fields))


@given(needs)
def test_powers_of_two_hold_what_was_needed_and_no_smaller_ones_do(needed: Room) -> None:
    room = needed.in_powers()
    assert room.holds(needed)
    for has, wants in zip(room, needed, strict=True):
        assert has.bit_count() <= 1
        assert wants == 0 == has or has // 2 < wants


@given(st.lists(needs, min_size=1, max_size=20))
def test_the_next_batch_gets_what_any_of_the_last_ones_needed(batches: list[Room]) -> None:
    rooms = Rooms()
    for needed in batches:
        rooms.took(needed)
    assert rooms.next.holds(LEAST)
    assert all(rooms.next.holds(needed) for needed in batches)


def test_one_large_batch_is_remembered_for_a_while_and_then_forgotten() -> None:
    large = LEAST._replace(knots=1 << 20)
    rooms = Rooms()
    rooms.took(large)
    for _ in range(MEMORY):
        assert rooms.next == large
        rooms.took(LEAST)
    for _ in range(MEMORY):
        rooms.took(LEAST)
    assert rooms.next == LEAST
