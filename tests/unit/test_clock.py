"""Time that never steps, and the time of day, which does."""

import time

import pytest

from connectors.clock import SteadyClock, WallClock


def test_it_begins_at_the_time_of_the_wall_clock() -> None:
    before_us = time.time_ns() // 1000
    now_us = SteadyClock().now_us()
    assert before_us - 1 <= now_us <= time.time_ns() // 1000 + 1


def test_a_step_of_the_wall_clock_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteadyClock()
    before_us = clock.now_us()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert before_us <= clock.now_us() < before_us + 3_600_000_000


def test_it_never_goes_back() -> None:
    clock = SteadyClock()
    times_us = [clock.now_us() for _ in range(1000)]
    assert times_us == sorted(times_us)


async def test_sleeping_lets_its_own_time_pass() -> None:
    clock = SteadyClock()
    before_us = clock.now_us()
    await clock.sleep(0.01)
    assert clock.now_us() - before_us >= 9_000


def test_the_wall_clock_is_put_right_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    clock = WallClock()
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_999)
    assert clock.now_us() == 1_800_000_000_000_000
