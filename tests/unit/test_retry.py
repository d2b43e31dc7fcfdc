from hypothesis import given
from hypothesis import strategies as st

from stream.retry import STEPS_S, delay_s

RANDOM = st.floats(0, 1, exclude_max=True)
ATTEMPT = st.integers(1, len(STEPS_S))


def test_the_first_retries_are_quick() -> None:
    assert [delay_s(attempt, 0.0, None) for attempt in (1, 2, 3, 4)] == [1, 5, 30, 120]


def test_the_tries_span_about_three_days_and_then_end() -> None:
    waits_s = [delay_s(attempt, 0.0, None) for attempt in range(1, 17)]

    assert waits_s[-1] is None
    assert None not in waits_s[:-1]
    assert 72 <= sum(wait_s for wait_s in waits_s if wait_s) / 3600 <= 80


@given(ATTEMPT, RANDOM)
def test_jitter_lengthens_a_wait_by_less_than_a_fifth(attempt: int, random: float) -> None:
    wait_s = delay_s(attempt, random, None)

    assert wait_s is not None
    assert STEPS_S[attempt - 1] <= wait_s <= STEPS_S[attempt - 1] * 1.2


@given(ATTEMPT, RANDOM, st.floats(0, 36_000))
def test_no_try_comes_before_the_endpoint_asked_for_it(
    attempt: int, random: float, retry_after_s: float
) -> None:
    wait_s = delay_s(attempt, random, retry_after_s)

    assert wait_s is not None
    assert wait_s >= retry_after_s


@given(ATTEMPT, RANDOM, st.floats(0, allow_nan=False))
def test_an_endpoint_cannot_ask_for_more_than_the_longest_step(
    attempt: int, random: float, retry_after_s: float
) -> None:
    wait_s = delay_s(attempt, random, retry_after_s)

    assert wait_s is not None
    assert wait_s <= max(STEPS_S) * 1.2


def test_a_retry_after_buys_no_further_try() -> None:
    assert delay_s(16, 0.0, 1.0) is None
