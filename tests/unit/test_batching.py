"""Which views go to the device together, and when."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from stream.batching import ARCHIVE_SHARE, Batcher, Item

WAIT_US = 10_000


def item(
    payload: int, camera: str = "a", *, shape: str = "wide", live: bool = True, since_us: int = 0
) -> Item[int]:
    return Item(shape, camera, live, since_us, payload)


def batcher(*items: Item[int], size: int = 4) -> Batcher[int]:
    batcher: Batcher[int] = Batcher(size, WAIT_US)
    for each in items:
        batcher.add(each)
    return batcher


def payloads(batch: list[Item[int]]) -> list[int]:
    return [each.payload for each in batch]


def test_a_full_batch_goes_at_once() -> None:
    full = batcher(*[item(number) for number in range(5)])
    assert payloads(full.take(0)) == [0, 1, 2, 3]
    assert full.take(0) == []


def test_a_part_of_a_batch_waits_for_company_and_no_longer() -> None:
    part = batcher(item(0, since_us=100))
    assert part.due_us() == 100 + WAIT_US
    assert part.take(99 + WAIT_US) == []
    assert payloads(part.take(100 + WAIT_US)) == [0]
    assert part.due_us() is None


def test_a_trickle_never_delays_the_first() -> None:
    trickle = batcher(size=100)
    for number in range(10):
        trickle.add(item(number, since_us=number * 1000))
        assert trickle.due_us() == WAIT_US
        assert trickle.take(number * 1000) == []
    assert payloads(trickle.take(WAIT_US)) == list(range(10))


def test_a_batch_has_one_shape() -> None:
    mixed = batcher(*[item(number, shape="wt"[number % 2]) for number in range(8)])
    assert payloads(mixed.take(0)) == [0, 2, 4, 6]
    assert payloads(mixed.take(0)) == [1, 3, 5, 7]


def test_cameras_take_turns_within_a_batch() -> None:
    greedy = [item(number, "greedy") for number in range(10)]
    fair = batcher(*greedy, item(100, "modest"), item(200, "shy"), size=6)
    assert payloads(fair.take(0)) == [0, 100, 200, 1, 2, 3]


def test_a_view_that_was_left_out_is_still_due_from_its_own_time() -> None:
    waiting = batcher(*[item(number, "greedy", live=True) for number in range(4)])
    waiting.add(item(9, "file", live=False))
    assert payloads(waiting.take(0)) == [0, 1, 2, 3]
    assert waiting.due_us() == WAIT_US
    assert payloads(waiting.take(WAIT_US)) == [9]


def test_live_goes_before_archive() -> None:
    both = batcher(*[item(number, "file", live=False) for number in range(4)])
    for number in range(10, 14):
        both.add(item(number, "camera", since_us=50))
    assert payloads(both.take(50)) == [10, 11, 12, 13]
    assert payloads(both.take(50)) == [0, 1, 2, 3]


def test_live_goes_before_archive_of_another_shape() -> None:
    both = batcher(*[item(number, "file", shape="tall", live=False) for number in range(4)])
    for number in range(10, 14):
        both.add(item(number, "camera", since_us=50))
    assert payloads(both.take(50)) == [10, 11, 12, 13]
    assert payloads(both.take(50)) == [0, 1, 2, 3]


def shares(file_shape: str) -> Counter[bool]:
    """Of 40 batches under a flood from all sides, the places that live and archive got."""
    flood = batcher()
    places: Counter[bool] = Counter()
    for number in range(40):
        for _ in range(4):
            flood.add(item(number, "camera", live=True, since_us=number))
            flood.add(item(number, "file", shape=file_shape, live=False, since_us=number))
        places.update(each.live for each in flood.take(number))
    return places


def test_archive_gets_a_tenth_of_the_places_and_no_more() -> None:
    assert shares("wide") == {True: 144, False: 16}


def test_archive_of_another_shape_gets_a_tenth_of_the_batches() -> None:
    assert shares("tall") == {True: 144, False: 16}


items = st.lists(
    st.builds(
        Item,
        shape=st.sampled_from(["wide", "tall"]),
        camera=st.sampled_from("abc"),
        live=st.booleans(),
        since_us=st.just(0),
        payload=st.integers(0, 5000),
    ),
    max_size=40,
)


def play(arrivals: list[Item[int]], size: int) -> list[tuple[int, list[Item[int]]]]:
    """Arrivals, each so many µs after the one before, as a device would meet them: (when, batch).

    Items come back numbered by arrival.
    """
    batcher: Batcher[int] = Batcher(size, WAIT_US)
    batches: list[tuple[int, list[Item[int]]]] = []
    now_us = 0

    def run_until(until_us: int) -> None:
        while (due_us := batcher.due_us()) is not None and due_us <= until_us:
            batches.append((due_us, batcher.take(due_us)))

    for number, each in enumerate(arrivals):
        now_us += each.payload
        run_until(now_us)
        batcher.add(Item(each.shape, each.camera, each.live, now_us, number))
        while batch := batcher.take(now_us):
            batches.append((now_us, batch))
    run_until(now_us + WAIT_US)
    return batches


@given(items, st.integers(1, 5))
def test_nothing_is_lost_doubled_late_or_too_much(arrivals: list[Item[int]], size: int) -> None:
    batches = play(arrivals, size)
    answered = [each.payload for _, batch in batches for each in batch]
    assert sorted(answered) == list(range(len(arrivals)))
    for when_us, batch in batches:
        assert 0 < len(batch) <= size
        assert len({each.shape for each in batch}) == 1
        assert all(each.since_us <= when_us <= each.since_us + WAIT_US for each in batch)


@given(items, st.integers(1, 5))
def test_each_camera_keeps_its_order(arrivals: list[Item[int]], size: int) -> None:
    order = defaultdict(list)
    for _, batch in play(arrivals, size):
        for each in batch:
            order[each.camera, each.shape, each.live].append(each.payload)
    assert all(numbers == sorted(numbers) for numbers in order.values())


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.integers(1, 8))
def test_no_camera_gets_more_than_one_place_ahead_of_another_that_waits(
    waiting: list[int], size: int
) -> None:
    fair = batcher(size=size)
    for camera, count in enumerate(waiting):
        for number in range(count):
            fair.add(item(number, f"camera-{camera}"))
    served: Counter[str | None] = Counter()
    for _ in range(sum(waiting)):
        served.update(each.camera for each in fair.take(WAIT_US))
        still = [served[f"camera-{c}"] for c, n in enumerate(waiting) if served[f"camera-{c}"] < n]
        assert not still or max(still) - min(still) <= 1


@given(st.integers(1, 8), st.integers(20, 60))
def test_whatever_the_batch_size_archive_gets_at_least_a_tenth(size: int, rounds: int) -> None:
    flood = batcher(size=size)
    places: Counter[bool] = Counter()
    for _ in range(rounds):
        for number in range(size):
            flood.add(item(number, "camera"))
            flood.add(item(number, "file", live=False))
        places.update(each.live for each in flood.take(0))
    assert places[False] >= places.total() // ARCHIVE_SHARE
