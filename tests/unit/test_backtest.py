"""What rules would have sent for what was recorded, by hand-made recordings."""

from collections.abc import Iterable

from stream.backtest import Backtest, Episode, Found, Stretch, rows, together
from stream.rules import AnyRule, Health, Presence
from stream.specs import ZoneSpec
from stream.types import CameraHealth, MaskMessage
from tests.support.build import gap
from tests.support.clock import START_US
from tests.support.recorded import at_us, seen

IN_HALL = Presence(id="in-hall", camera="hall", labels=("person",), frames=1, resolve=0)
IN_YARD = Presence(id="in-yard", camera="yard", frames=1, resolve=0, severity="critical")
DOWN = Health.model_validate({"id": "down", "conditions": ["lost"], "for": 0, "resolve": 0})
RULES: tuple[AnyRule, ...] = (IN_YARD, IN_HALL, DOWN)
NO_ZONES: tuple[ZoneSpec, ...] = ()


def found(*messages: MaskMessage, rules: Iterable[AnyRule] = RULES) -> Found:
    backtest = Backtest(rules, NO_ZONES)
    for message in messages:
        backtest.add(message)
    return backtest.found()


def lived(episodes: Iterable[Episode]) -> list[tuple[int, int, bool]]:
    """Seconds of opening and of the end, and whether it was open then."""
    return [
        ((each.opened_us - START_US) // 10**6, (each.ended_us - START_US) // 10**6, each.is_open)
        for each in episodes
    ]


def lost(second: int, *, is_on: bool = True, since: int = 0) -> CameraHealth:
    return CameraHealth("hall", 1, 0, at_us(second), "lost", is_on, at_us(since), "silent")


def test_each_episode_is_told_with_its_ends() -> None:
    came = found(*seen("..xx...xxxx.")).episodes
    assert lived(came) == [(2, 4, False), (7, 11, False)]
    assert {(each.rule, each.camera, each.severity) for each in came} == {
        ("in-hall", "hall", "warning")
    }


def test_what_is_open_at_the_end_lasts_until_then_and_says_so() -> None:
    (came,) = found(*seen("..xxxx")).episodes
    assert (came.lasted_us, came.is_open) == (3_000_000, True)


def test_a_recording_may_begin_in_the_middle_of_an_epoch() -> None:
    came = found(*seen("..xx..", first=50_000, epoch=7))
    assert lived(came.episodes) == [(50_002, 50_004, False)]
    assert came.cameras["hall"].again == 0


def test_what_comes_again_changes_nothing_and_is_counted() -> None:
    once, again = list(seen("..xx..")), list(seen("..xx.."))
    came = found(*once, *again)
    assert (came.cameras["hall"].results, came.cameras["hall"].again) == (6, 6)
    assert len(came.episodes) == 1


def test_where_results_are_missing_nothing_was_seen() -> None:
    hall = found(*seen("....-------...")).cameras["hall"]
    assert hall.seen == [Stretch(at_us(0), at_us(3)), Stretch(at_us(11), at_us(13))]
    assert (hall.span_us, hall.unseen_us) == (13_000_000, 8_000_000)


def test_a_short_hole_is_seen_through_as_rules_do() -> None:
    assert found(*seen("...-...")).cameras["hall"].unseen_us == 0


def test_with_a_black_picture_nothing_was_seen() -> None:
    black = CameraHealth("hall", 1, 4, at_us(3) + 1, "black", True, at_us(3), "dark")
    light = CameraHealth("hall", 1, 8, at_us(7) + 1, "black", False, at_us(7), "")
    first, dark, last = list(seen("....")), seen("....", first=4), seen("....", first=8)
    hall = found(*first, black, *dark, light, *last).cameras["hall"]
    assert hall.seen == [Stretch(at_us(0), at_us(3)), Stretch(at_us(8), at_us(11))]


def test_a_camera_that_is_lost_until_the_end_was_not_seen_then() -> None:
    came = found(*seen("..."), lost(10, since=2), lost(20, since=2))
    assert came.cameras["hall"].unseen_us == 18_000_000
    assert [(each.rule, each.is_open) for each in came.episodes] == [("down", True)]


def test_a_file_that_begins_again_counts_each_time() -> None:
    hall = found(*seen("....."), *seen(".....", epoch=2)).cameras["hall"]
    assert (hall.span_us, hall.unseen_us) == (8_000_000, 0)
    assert (hall.first_us, hall.last_us) == (at_us(0), at_us(4))


def test_frames_without_a_result_are_counted_by_reason() -> None:
    hall = found(*seen(".."), gap(2, 9, "stale"), gap(10, 10, "dead_letter")).cameras["hall"]
    assert hall.gaps == {"stale": 8, "dead_letter": 1}


def test_of_a_gap_that_came_before_only_what_is_new_is_counted() -> None:
    hall = found(gap(0, 4), gap(3, 9)).cameras["hall"]
    assert hall.gaps == {"stale": 10}


def test_every_rule_has_a_row_for_each_camera_that_it_watches() -> None:
    came = found(*seen("..x."), *seen("....", "gate"))
    plans = Backtest(RULES, NO_ZONES).plans
    assert [(row.rule, row.camera, len(row.episodes)) for row in rows(RULES, plans, came)] == [
        ("in-yard", "yard", 0),
        ("in-hall", "hall", 1),
        ("down", "gate", 0),
        ("down", "hall", 0),
    ]


def test_cameras_may_be_replayed_apart() -> None:
    hall, yard = list(seen(".xx..x")), list(seen("x..xx.", "yard"))
    apart = together([found(*hall), found(*yard)])
    at_once = found(*(each for pair in zip(hall, yard, strict=True) for each in pair))
    assert apart == at_once
