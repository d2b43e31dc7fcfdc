"""Which live frames are worth the device: pure."""

from collections import deque
from random import Random

import pytest

from stream.freshness import Freshness

S = 1_000_000


def knowing(*service_us: int) -> Freshness:
    """Has answered frames that took so long."""
    fresh = Freshness(S)
    for each in service_us:
        while not fresh.admits(0):
            pass
        fresh.took(each)
    return fresh


def test_until_something_is_known_only_the_age_counts() -> None:
    assert Freshness(S).admits(S)
    assert not Freshness(S).admits(S + 1)


def test_the_expected_service_counts_with_the_age() -> None:
    fresh = knowing(*[300_000] * 50)
    assert fresh.admits(690_000)
    assert not fresh.admits(710_000)


def test_a_steady_device_that_is_just_in_time_turns_nothing_away() -> None:
    fresh = Freshness(S)
    for _ in range(1000):
        assert fresh.admits(100_000)
        fresh.took(900_000)


def test_one_slow_frame_is_forgotten_although_it_turns_all_away() -> None:
    fresh = knowing(20 * S)
    assert [fresh.admits(0) for _ in range(30)].count(False) < 10


def test_while_a_frame_is_under_way_it_is_waited_for() -> None:
    fresh = Freshness(S)
    assert fresh.admits(0)
    assert fresh.admits(0)
    fresh.took(20 * S)
    assert not any(fresh.admits(0) for _ in range(30))


@pytest.mark.parametrize("spread", [0.0, 0.3])
@pytest.mark.parametrize("per_s", [10, 21])
def test_in_an_overload_nearly_all_that_is_answered_is_fresh_and_the_device_is_busy(
    spread: float, per_s: int
) -> None:
    """More frames come than the 7/s that a device answers one after the other, 4 under way."""
    random = Random(7)
    fresh = Freshness(S)
    ages: list[float] = []
    under_way: deque[tuple[float, float]] = deque()  # when answered, when admitted
    now, free_at = 0.0, 0.0
    for arrived in (seq / per_s for seq in range(300 * per_s)):
        now = max(now, arrived, under_way[0][0] if len(under_way) == 4 else 0.0)
        while under_way and under_way[0][0] <= now:
            answered, admitted = under_way.popleft()
            fresh.took(round((answered - admitted) * S))
        if fresh.admits(round((now - arrived) * S)):
            free_at = max(free_at, now) + random.uniform(1 - spread, 1 + spread) / 7
            under_way.append((free_at, now))
            ages.append(free_at - arrived)
    assert sum(age > 1.001 for age in ages) < 0.01 * len(ages)
    assert len(ages) > 0.95 * 7 * 300
