"""A live camera that sends mostly what cannot be handled is left alone, and comes back."""

from itertools import pairwise

from stream.quarantine import LEAST_FAILED, PROBE_EVERY_US, SOUND_PROBES, Quarantine

SECOND_US = 1_000_000


def feed(quarantine: Quarantine, sound: list[bool], at_us: int = 0, each_us: int = 100_000) -> int:
    """Frames of ``hall``, one every ``each_us``; returns when the next would come."""
    for each in sound:
        if quarantine.admits("hall", at_us):
            quarantine.tried("hall", at_us, sound=each)
        at_us += each_us
    return at_us


def test_one_bad_frame_in_a_hundred_is_no_reason() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, ([False] + [True] * 99) * 20)
    assert quarantine.admits("hall", at_us)


def test_a_few_bad_frames_at_the_start_are_no_reason() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, [False] * (LEAST_FAILED - 1) + [True])
    assert quarantine.admits("hall", at_us)


def test_more_than_five_in_a_hundred_are() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, ([False] + [True] * 18) * LEAST_FAILED)
    assert not quarantine.admits("hall", at_us)
    assert quarantine.admits("gate", at_us)


def test_what_failed_more_than_a_minute_ago_does_not_count() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, [False] * (LEAST_FAILED - 1))
    at_us = feed(quarantine, [False] * (LEAST_FAILED - 1), at_us + 61 * SECOND_US)
    assert quarantine.admits("hall", at_us)


def test_it_is_said_when_it_begins_and_when_it_ends() -> None:
    quarantine = Quarantine()
    said = [quarantine.tried("hall", 0, sound=False) for _ in range(LEAST_FAILED)]
    assert said[:-1] == [None] * (LEAST_FAILED - 1)
    assert said[-1] == "hall: quarantined, 10 of 10 frames in a minute were dead letters"
    said = [
        quarantine.tried("hall", probe * PROBE_EVERY_US, sound=True)
        for probe in range(1, SOUND_PROBES + 1)
    ]
    assert said == [None, None, "hall: out of quarantine, 3 probes in a row were sound"]


def test_one_frame_every_few_seconds_is_tried_and_sound_ones_end_it() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, [False] * LEAST_FAILED)
    tried_us: list[int] = []
    while len(tried_us) < SOUND_PROBES:
        if quarantine.admits("hall", at_us):
            quarantine.tried("hall", at_us, sound=True)
            tried_us.append(at_us)
        at_us += 100_000
    gaps_us = [later - earlier for earlier, later in pairwise(tried_us)]
    assert gaps_us == [PROBE_EVERY_US] * (SOUND_PROBES - 1)
    assert quarantine.admits("hall", at_us)
    assert quarantine.admits("hall", at_us)


def test_a_bad_probe_begins_the_count_again() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, [False] * LEAST_FAILED)
    for sound in (True, True, False, True, True):
        at_us += PROBE_EVERY_US
        assert quarantine.admits("hall", at_us)
        quarantine.tried("hall", at_us, sound=sound)
    assert not quarantine.admits("hall", at_us + 1)


def test_frames_that_were_under_way_when_it_began_do_not_end_it() -> None:
    quarantine = Quarantine()
    at_us = feed(quarantine, [False] * LEAST_FAILED)
    for _ in range(SOUND_PROBES):
        quarantine.tried("hall", at_us, sound=True)
    assert not quarantine.admits("hall", at_us)
