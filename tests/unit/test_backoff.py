"""When a lost camera is looked for again."""

from stream.backoff import SPREAD, delay_s
from stream.errors import CameraError, CredentialsRefusedError


def test_waits_double_from_the_first_to_the_longest() -> None:
    waits_s = [delay_s("hall", failures, (0.2, 3.0)) for failures in range(7)]
    assert [round(each / waits_s[0], 6) for each in waits_s] == [1, 2, 4, 8, 15, 15, 15]


def test_a_camera_that_is_away_for_years_is_still_looked_for() -> None:
    assert delay_s("hall", 10**9, (0.2, 3.0)) <= 3.0


def test_cameras_that_one_fault_took_come_back_apart() -> None:
    waits_s = [delay_s(f"camera-{number}", 5, (0.2, 3.0)) for number in range(100)]
    assert 3.0 * (1 - SPREAD) <= min(waits_s) < 2.5
    assert 2.9 < max(waits_s) <= 3.0
    assert len({round(each, 3) for each in waits_s}) > 90


def test_a_camera_that_refuses_our_password_is_not_asked_so_often_that_it_locks_us_out() -> None:
    assert CredentialsRefusedError.retry_s == (5.0, 60.0)
    assert CameraError.retry_s == (0.2, 3.0)
