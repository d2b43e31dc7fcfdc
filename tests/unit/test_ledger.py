"""What was received and is not yet committed."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from stream.ledger import Answer, Entry, Ledger
from stream.ports import Delivery, Record

NOTHING: Answer = ()


def delivery(position: int, camera: str = "a") -> Delivery:
    return Delivery("frames", Record(camera, b""), position, f"frames@{position}")


def filled(cameras: str) -> tuple[Ledger, list[Entry]]:
    """A ledger that received one record of each camera in ``cameras``, in order."""
    ledger = Ledger()
    return ledger, [ledger.receive(delivery(at, camera)) for at, camera in enumerate(cameras)]


def positions(entries: list[Entry]) -> list[int]:
    return [entry.delivery.position for entry in entries]


def test_an_answer_waits_for_the_earlier_ones_of_its_camera() -> None:
    ledger, (first, second, third) = filled("aaa")
    second.answer = third.answer = NOTHING
    assert ledger.release("a") == []
    first.answer = NOTHING
    assert positions(ledger.release("a")) == [0, 1, 2]
    assert ledger.release("a") == []


def test_cameras_do_not_wait_for_each_other() -> None:
    ledger, (_, second) = filled("ab")
    second.answer = NOTHING
    assert positions(ledger.release("b")) == [1]
    assert ledger.release("unheard-of") == []


def test_only_written_records_are_committed_and_only_from_the_oldest_on() -> None:
    ledger, (first, second, third) = filled("aba")
    second.written = True
    assert ledger.committable() == []
    first.written = True
    assert [each.position for each in ledger.committable()] == [0, 1]
    third.written = True
    assert [each.position for each in ledger.committable()] == [0, 1, 2]


def test_records_are_open_until_they_are_committed() -> None:
    ledger, (first, second, _) = filled("aba")
    first.written = second.written = True
    done = ledger.committable()
    assert len(ledger) == 3
    ledger.committed(done)
    assert len(ledger) == 1
    assert ledger.committable() == []


@given(st.text("abc", max_size=30), st.randoms(use_true_random=False))
def test_in_whatever_order_answers_come(cameras: str, random: Random) -> None:
    ledger, entries = filled(cameras)
    unanswered = list(entries)
    random.shuffle(unanswered)
    released: list[Entry] = []
    committed: list[Delivery] = []
    for entry in unanswered:
        entry.answer = NOTHING
        fresh = ledger.release(entry.delivery.record.key)
        released += fresh
        for each in fresh:
            each.written = True
        done = ledger.committable()
        ledger.committed(done)
        committed += done
        written = {id(each.delivery) for each in released}
        assert all(id(each) in written for each in committed)
    assert committed == [entry.delivery for entry in entries]
    for camera in set(cameras):
        own = [each for each in released if each.delivery.record.key == camera]
        assert positions(own) == sorted(positions(own))
    assert len(released) == len(entries)
