"""What is let through of what others log."""

import logging
import threading

import pytest

from stream.cli.logs import MOST_KNOWN, QUIET_S, _Seldom


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds, as its only item."""
    now_s = [1000.0]
    monkeypatch.setattr("stream.cli.logs.time.monotonic", lambda: now_s[0])
    return now_s


def said(text: str, by: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(by, logging.WARNING, "", 0, text, (), None)


def test_a_message_of_others_comes_once_in_a_while_and_ours_always(now: list[float]) -> None:
    seldom = _Seldom()
    assert [seldom.filter(said("no broker")) for _ in range(3)] == [True, False, False]
    assert all(seldom.filter(said("no broker", by="stream.watch")) for _ in range(3))
    now[0] += QUIET_S - 0.1
    assert not seldom.filter(said("no broker"))
    now[0] += 0.1
    assert seldom.filter(said("no broker"))


def test_of_many_messages_the_one_said_longest_ago_is_forgotten(now: list[float]) -> None:
    seldom = _Seldom()
    assert seldom.filter(said("message 0"))
    now[0] += QUIET_S / 2
    for number in range(1, MOST_KNOWN):
        assert seldom.filter(said(f"message {number}"))
    now[0] += QUIET_S / 2
    assert seldom.filter(said("message 0")), "so that message 1 is the oldest"
    assert seldom.filter(said("one more"))
    assert not seldom.filter(said("message 0"))
    assert not seldom.filter(said("message 2"))
    assert seldom.filter(said("message 1"))


def test_what_is_known_has_a_bound(now: list[float]) -> None:
    seldom = _Seldom()
    for number in range(3 * MOST_KNOWN):
        assert seldom.filter(said(f"message {number}"))
    assert len(seldom._said_s) == MOST_KNOWN


def test_threads_may_log_at_once(eager_threads: None) -> None:
    seldom, failed = _Seldom(), []

    def log(thread: int) -> None:
        try:
            for number in range(MOST_KNOWN):
                seldom.filter(said(f"{thread}: message {number}"))
        except RuntimeError as error:
            failed.append(error)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
