"""``kind: health``: alerts about cameras, and what rules make of results while a camera ails."""

from collections.abc import Sequence

import pytest

from stream.codec import to_json
from stream.rules import AnyRule, Dwell, Health, Presence
from stream.rules.trouble import FRESH_US
from stream.specs import ZoneSpec
from stream.types import Alert, CameraHealth, Condition, MaskMessage, Result
from stream.watching import replay
from tests.support.build import MODEL, SIZE, instance
from tests.support.clock import START_US

DOOR = ZoneSpec(id="door", camera="hall", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
DOWN = Health.model_validate(
    {"id": "down", "conditions": ["lost", "frozen"], "for": "10s", "resolve": "5s"}
)


def told(
    at_s: float,
    condition: Condition = "lost",
    is_on: bool = True,
    *,
    since_s: float | None = None,
    epoch: int = 1,
    camera: str = "hall",
) -> CameraHealth:
    """Something is told of a camera, so many seconds after the start."""
    since_us = START_US + round((at_s if since_s is None else since_s) * 1e6)
    at_us = START_US + round(at_s * 1e6)
    return CameraHealth(camera, epoch, 0, at_us, condition, is_on, since_us, f"so it is {at_s:g}")


def seen(at_s: float, *, people: int = 0, epoch: int = 1, camera: str = "hall") -> Result:
    """A result; frames come ten a second."""
    at_us = START_US + round(at_s * 1e6)
    someone = [instance()] * people
    return Result(camera, epoch, round(at_s * 10), at_us, at_us, SIZE, MODEL, tuple(someone))


def lasting(
    first_s: float, last_s: float, condition: Condition = "lost", epoch: int = 1
) -> list[MaskMessage]:
    """A condition that is told again every 5 s."""
    times = range(int(first_s), int(last_s) + 1, 5)
    return [told(at_s, condition, since_s=first_s, epoch=epoch) for at_s in times]


def watching(first_s: float, last_s: float, people: int = 0, epoch: int = 1) -> list[MaskMessage]:
    """Results, ten a second."""
    tenths = range(round(first_s * 10), round(last_s * 10))
    return [seen(tenth / 10, people=people, epoch=epoch) for tenth in tenths]


def alerts(
    messages: Sequence[MaskMessage], *rules: AnyRule, zones: Sequence[ZoneSpec] = ()
) -> list[Alert]:
    return replay(rules or (DOWN,), zones, messages)


def lives(found: Sequence[Alert]) -> list[tuple[str, float]]:
    """(state, seconds since the start) of each change."""
    return [(each.state, (each.time_us - START_US) / 1e6) for each in found]


def test_a_camera_that_stays_lost_opens_an_alert_without_a_frame() -> None:
    (opened,) = alerts(lasting(3, 40))
    assert lives([opened]) == [("opened", 13.0)]
    assert (opened.kind, opened.camera, opened.zone, opened.labels) == (
        "health", "hall", None, ("lost",),
    )  # fmt: skip
    assert (opened.detail, opened.tracks, opened.evidence) == ("lost: so it is 13", (), None)


def test_a_camera_that_comes_back_in_time_opens_none() -> None:
    assert alerts([*lasting(0, 9), told(9, "lost", False), *watching(9, 60)]) == []


def test_an_alert_resolves_once_the_camera_was_well_for_long_enough() -> None:
    back = [told(31, "lost", False, epoch=2), *watching(31, 60, epoch=2)]
    found = alerts([*lasting(0, 30), *back])
    assert lives(found) == [("opened", 10.0), ("resolved", 36.0)]
    assert len({each.id for each in found}) == 1


def test_a_camera_that_comes_and_goes_is_not_well() -> None:
    flapping: list[MaskMessage] = []
    for at_s in range(0, 40, 4):
        flapping += [told(at_s), told(at_s + 3, "lost", False), *watching(at_s + 3, at_s + 4)]
    assert lives(alerts(flapping)) == [("opened", 12.0)]


def test_silence_resolves_nothing() -> None:
    """Whoever told of it is gone; later another process tells, at once, that it is back."""
    messages = [*lasting(0, 15), told(4000, "lost", False, epoch=2), *watching(4000, 4010, epoch=2)]
    assert lives(alerts(messages)) == [("opened", 10.0), ("resolved", 4005.0)]


def test_an_alert_resolves_as_soon_in_an_epoch_that_begins_an_hour_back() -> None:
    back = [told(4016, "lost", False), seen(4017), *watching(400, 410, epoch=2)]
    found = alerts([*lasting(4000, 4015), *back])
    assert lives(found) == [("opened", 4010.0), ("resolved", 405.0)]


def test_trouble_that_goes_on_in_an_epoch_that_begins_an_hour_back_opens_as_soon() -> None:
    assert lives(alerts([told(4000), *lasting(400, 420, epoch=2)])) == [("opened", 410.0)]


def test_what_was_told_long_ago_opens_nothing() -> None:
    assert alerts([told(0, "frozen"), *watching(FRESH_US / 1e6, 60)]) == []


def test_a_frozen_camera_opens_while_its_frames_go_on() -> None:
    messages = sorted([*lasting(12, 30, "frozen"), *watching(0, 30)], key=lambda each: each.time_us)
    (opened,) = alerts(messages)
    assert lives([opened]) == [("opened", 22.0)]
    assert opened.labels == ("frozen",)


def test_another_condition_updates_the_alert() -> None:
    both = sorted([*lasting(0, 50, "frozen"), *lasting(21, 50)], key=lambda each: each.time_us)
    opened, updated = alerts(both)
    assert lives([opened, updated]) == [("opened", 10.0), ("updated", 21.0)]
    assert (opened.labels, updated.labels) == (("frozen",), ("frozen", "lost"))
    assert updated.detail == "frozen: so it is 20; lost: so it is 21"


def test_conditions_that_a_rule_does_not_name_are_none_of_its() -> None:
    assert alerts(lasting(0, 60, "slow")) == []


def test_a_cooldown_runs_in_event_time() -> None:
    calm = DOWN.model_copy(update={"cooldown": 60.0})
    away = [
        *lasting(0, 10), told(11, "lost", False), *watching(11, 20),
        *lasting(20, 100), told(101, "lost", False), *watching(101, 110),
    ]  # fmt: skip
    assert lives(alerts(away, calm)) == [
        ("opened", 10.0), ("resolved", 16.0), ("opened", 80.0), ("resolved", 106.0),
    ]  # fmt: skip


def test_a_rule_without_a_camera_watches_every_camera() -> None:
    away = [told(at_s, camera=name) for name in ("hall", "yard") for at_s in (0, 5)]
    late = [told(10, since_s=0, camera=name) for name in ("hall", "yard", "roof")]
    everywhere = alerts([*away, *late], DOWN, zones=[DOOR])
    assert [each.camera for each in everywhere] == ["hall", "yard", "roof"]
    assert len({each.id for each in everywhere}) == 3
    only = DOWN.model_copy(update={"camera": "yard"})
    assert [each.camera for each in alerts([*away, *late], only)] == ["yard"]


def test_replay_gives_the_same_bytes() -> None:
    messages = [*lasting(0, 30), told(31, "lost", False), *watching(31, 60)]
    once, again = alerts(messages), alerts([*messages[:4], *messages])
    assert [to_json(each) for each in once] == [to_json(each) for each in again]


def test_an_alert_about_people_has_no_detail_on_the_wire() -> None:
    (opened,) = alerts(watching(0, 1, 1), Presence(id="in", camera="hall"))
    assert b"detail" not in to_json(opened)


# --- what rules make of results while a camera ails -----------------------------------------

INSIDE = Presence(id="inside", zone="door", labels=("person",), frames=3, resolve=2)
ANYWHERE = Presence(id="anywhere", camera="hall", labels=("person",), frames=3, resolve=2)
STAYS = Dwell(id="stays", zone="door", labels=("person",), duration=5)


def while_it(condition: Condition, people: int, before: int = 1) -> list[MaskMessage]:
    """Somebody is there; after 2 s the camera ails, for 20 s, and shows so many people."""
    ails = [*lasting(2, 22, condition), *watching(2, 22, people)]
    return [*watching(0, 2, before), *sorted(ails, key=lambda each: each.time_us)]


@pytest.mark.parametrize("condition", ["black", "frozen", "moved"])
def test_a_camera_that_sees_nothing_resolves_no_alert(condition: Condition) -> None:
    assert lives(alerts(while_it(condition, 0), INSIDE, zones=[DOOR])) == [("opened", 0.2)]


@pytest.mark.parametrize("condition", ["black", "frozen", "moved"])
def test_a_camera_that_shows_what_is_not_there_opens_none(condition: Condition) -> None:
    assert alerts(while_it(condition, 1, 0), INSIDE, STAYS, zones=[DOOR]) == []


def test_afterwards_what_is_seen_counts_again() -> None:
    well = [told(22.1, "frozen", False), *watching(22.1, 30)]
    found = alerts([*while_it("frozen", 1), *well], INSIDE, STAYS, zones=[DOOR])
    assert lives(found) == [("opened", 0.2), ("resolved", 24.1)]


def test_a_view_that_moved_still_shows_the_whole_picture() -> None:
    found = alerts(while_it("moved", 0), ANYWHERE)
    assert lives(found) == [("opened", 0.2), ("resolved", 3.9)]


@pytest.mark.parametrize("condition", ["slow", "skewed", "resized"])
def test_what_leaves_the_picture_true_changes_nothing(condition: Condition) -> None:
    found = alerts(while_it(condition, 0), INSIDE, zones=[DOOR])
    assert lives(found) == [("opened", 0.2), ("resolved", 3.9)]


def test_zones_are_not_blind_for_ever_when_nobody_says_so_any_more() -> None:
    blind = told(2, "frozen")
    found = alerts([*watching(0, 2, 1), blind, *watching(2, 30)], INSIDE, zones=[DOOR])
    assert lives(found)[0] == ("opened", 0.2)
    assert lives(found)[1][1] >= 2 + FRESH_US / 1e6


def test_zones_are_not_blind_for_an_hour_when_time_goes_back_by_one() -> None:
    """Whoever said so is gone, and its clock was ahead."""
    early = watching(400, 410, 1, epoch=2)
    found = alerts([told(4000, "black"), *early], INSIDE, zones=[DOOR])
    assert lives(found)[0] == ("opened", 400.2)
