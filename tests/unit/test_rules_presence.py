"""``kind: presence``, result by result: five pictures a second, a zone on the right."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from stream.masks import Mask
from stream.rules import Presence, Rule, RuleState, evaluate, version
from stream.types import Alert, Instance, ModelRef, Result, Track
from tests.support.states import again

SIZE = (100, 200)
ZONE = Mask.from_polygon(SIZE, np.array([(160, 0), (200, 0), (200, 100), (160, 100)]))
MODEL = ModelRef("yard", "0" * 64, "f32")
FPS = 5


def somebody(x: int = 170, label: str = "person", score: float = 0.9) -> Instance:
    """20 px wide: at 170 all of it lies in the zone, at 150 a half."""
    mask = Mask.from_bitmap(SIZE, np.ones((40, 20), bool), x, 30)
    return Instance(label, score, (x, 30, x + 20, 70), mask)


def at(seq: int, *instances: Instance, time_s: float | None = None, epoch: int = 1) -> Result:
    time_us = round((seq / FPS if time_s is None else time_s) * 1e6)
    return Result("yard", epoch, seq, time_us, time_us, SIZE, MODEL, instances, f"frames@{seq}")


def tracks_of(result: Result, names: str) -> tuple[Track, ...]:
    return tuple(
        Track(name, one.label, one.score, one.box, (0, 0), (), index)
        for index, (name, one) in enumerate(zip(names, result.instances, strict=False))
    )


def watch(rule: Presence, results: Iterable[Result], names: str = "") -> list[Alert]:
    state: RuleState | None = None
    alerts: list[Alert] = []
    for result in results:
        state, new = evaluate(rule, ZONE, state, result, tracks_of(result, names))
        alerts += new
    return alerts


def seen(pattern: str) -> list[Result]:
    """A result for each sign: ``x`` somebody in the zone, ``.`` nobody, ``-`` a gap."""
    return [
        at(seq, *([somebody()] if sign == "x" else []))
        for seq, sign in enumerate(pattern)
        if sign != "-"
    ]


def states(alerts: Iterable[Alert]) -> list[tuple[str, float]]:
    return [(alert.state, alert.time_us / 1e6) for alert in alerts]


def rule(**settings: object) -> Presence:
    return Presence.model_validate(
        {"id": "leaves", "zone": "exit", "labels": ["person"], "frames": 3, "resolve": 0} | settings
    )


def test_it_opens_with_the_third_result_in_a_row() -> None:
    assert states(watch(rule(), seen("xx.xxx"))) == [("opened", 1.0)]


def test_it_tells_what_it_saw() -> None:
    (alert,) = watch(rule(notify=["ops"], severity="critical"), seen("xxx"), names="a")
    assert (alert.rule, alert.kind, alert.camera, alert.zone) == (
        "leaves",
        "presence",
        "yard",
        "exit",
    )
    assert (alert.labels, alert.tracks, alert.severity, alert.notify) == (
        ("person",),
        ("a",),
        "critical",
        ("ops",),
    )
    assert alert.opened_us == alert.time_us == 400_000
    assert alert.evidence is not None
    assert (alert.evidence.seq, alert.evidence.frame_ref) == (2, "frames@2")
    assert (alert.evidence.score, alert.evidence.overlap) == (0.9, 1.0)
    assert alert.evidence.box == (170, 30, 190, 70)


@pytest.mark.parametrize(
    ("instance", "counts"),
    [
        (somebody(150), True),
        (somebody(149), False),
        (somebody(100), False),
        (somebody(label="dog"), False),
        (somebody(score=0.4), True),
        (somebody(score=0.39), False),
        (Instance("person", 0.9, (170, 30, 190, 70), Mask.from_edges(SIZE, [])), False),
    ],
)
def test_who_counts(instance: Instance, counts: bool) -> None:
    """Half of the mask in the zone, the label, and the score are what it takes."""
    alerts = watch(rule(overlap=0.5, score=0.4), [at(n, instance) for n in range(3)])
    assert bool(alerts) == counts


def test_without_a_label_everybody_counts_and_without_a_zone_everywhere() -> None:
    anywhere = rule(zone=None, camera="yard", labels=None)
    state: RuleState | None = None
    alerts: list[Alert] = []
    for seq, one in enumerate([somebody(0, "dog"), somebody(90), somebody(5, "dog")]):
        state, new = evaluate(anywhere, None, state, at(seq, one), ())
        alerts += new
    assert [alert.labels for alert in alerts] == [("dog",)]


def test_it_resolves_with_the_third_result_without() -> None:
    assert states(watch(rule(), seen("xxx..x...x"))) == [("opened", 0.4), ("resolved", 1.6)]


def test_it_resolves_only_after_its_time_without() -> None:
    alerts = watch(rule(resolve="1s"), seen("xxx" + "." * 9))
    assert states(alerts) == [("opened", 0.4), ("resolved", 1.4)]


def test_an_alert_keeps_its_id_and_its_beginning_for_life() -> None:
    opened, resolved = watch(rule(), seen("xxx..."))
    assert (resolved.id, resolved.opened_us) == (opened.id, opened.opened_us)


def test_gaps_neither_open_nor_resolve() -> None:
    assert states(watch(rule(), seen("xx--------"))) == []
    assert states(watch(rule(), seen("xxx.------.-----"))) == [("opened", 0.4)]


def test_gaps_do_not_interrupt_a_row() -> None:
    assert states(watch(rule(), seen("xx---x"))) == [("opened", 1.0)]


def test_a_long_silence_counts_nowhere() -> None:
    """After it, a result without somebody is the first of its kind, however late it comes."""
    before = seen("xxx")
    after = [at(500 + n) for n in range(7)]
    alerts = watch(rule(resolve="1s"), [*before, *after])
    assert states(alerts) == [("opened", 0.4), ("resolved", 101.0)]


def test_no_new_alert_within_the_cooldown() -> None:
    alerts = watch(rule(cooldown="2s"), seen("xxx..." + "x" * 10))
    assert states(alerts) == [("opened", 0.4), ("resolved", 1.0), ("opened", 3.0)]


def test_a_file_that_begins_again_is_not_held_back_by_its_last_cooldown() -> None:
    first = [at(n, *[somebody()][: n < 103]) for n in range(100, 106)]
    again = [at(n, somebody(), epoch=2) for n in range(3)]
    alerts = watch(rule(cooldown="1h"), [*first, *again])
    assert states(alerts) == [("opened", 20.4), ("resolved", 21.0), ("opened", 0.4)]


def test_who_joins_for_as_long_as_it_takes_to_open_is_told() -> None:
    alone = [at(n, somebody()) for n in range(60)]
    both = [at(n, somebody(), somebody(175)) for n in range(60, 63)]
    opened, updated = watch(rule(), [*alone, *both], names="ab")
    assert (updated.state, updated.id, updated.tracks) == ("updated", opened.id, ("a", "b"))
    assert (updated.time_us, updated.opened_us) == (12_400_000, 400_000)


def test_a_crowd_is_told_once_in_ten_seconds() -> None:
    """Somebody new every 2 s for a minute."""
    state: RuleState | None = None
    alerts: list[Alert] = []
    for seq in range(60 * FPS):
        result = at(seq, somebody())
        state, new = evaluate(rule(), ZONE, state, result, tracks_of(result, chr(65 + seq // 10)))
        alerts += new
    assert [alert.state for alert in alerts] == ["opened", *["updated"] * 5]
    assert len(alerts[-1].tracks) == 26


def test_who_came_last_is_named_when_it_resolves() -> None:
    results = [at(0, somebody()), *(at(n, somebody(), somebody(175)) for n in range(1, 5))]
    alerts = watch(rule(frames=1), [*results, at(5)], names="ab")
    assert [(alert.state, alert.tracks) for alert in alerts] == [
        ("opened", ("a",)),
        ("resolved", ("a", "b")),
    ]


patterns = st.text("xx..-", max_size=60)
rules = st.builds(
    lambda frames, cooldown, resolve: rule(frames=frames, cooldown=cooldown, resolve=resolve),
    st.integers(1, 4),
    st.sampled_from([0, 1, 3]),
    st.sampled_from([0, 1]),
)


@given(rules, patterns)
def test_episodes_follow_each_other_and_keep_the_cooldown(watched: Presence, pattern: str) -> None:
    opened_at = ended_at = None
    for alert in watch(watched, seen(pattern)):
        if alert.state == "opened":
            assert opened_at is None
            assert ended_at is None or alert.time_us - ended_at >= watched.cooldown * 1e6
            opened_at = alert.time_us
        else:
            assert opened_at == alert.opened_us
            opened_at, ended_at = None, alert.time_us


@given(rules, patterns)
def test_a_result_with_somebody_never_resolves_and_one_without_never_opens(
    watched: Presence, pattern: str
) -> None:
    for alert in watch(watched, seen(pattern)):
        sign = pattern[round(alert.time_us / 1e6 * FPS)]
        assert sign == {"opened": "x", "resolved": "."}[alert.state]


@given(rules, patterns)
def test_state_kept_as_bytes_has_the_same_future(watched: Presence, pattern: str) -> None:
    state: RuleState | None = None
    alerts: list[Alert] = []
    for result in seen(pattern):
        state, new = evaluate(watched, ZONE, state, result, ())
        state = again(state)
        alerts += new
    assert alerts == watch(watched, seen(pattern))


def test_ids_tell_rules_their_settings_and_episodes_apart() -> None:
    twice = watch(rule(), seen("xxx...xxx..."))
    other = watch(rule(overlap=0.6), seen("xxx..."))
    named = watch(rule(id="arrives"), seen("xxx..."))
    ids = {alert.id for alert in [*twice, *other, *named]}
    assert len(ids) == 4
    assert all(len(one) == 24 and set(one) <= set("0123456789abcdef") for one in ids)


def test_the_version_of_a_rule_is_the_same_however_it_is_written() -> None:
    assert version(rule(cooldown="5s")) == version(rule(cooldown=5.0, notify=[]))
    assert version(rule(cooldown="5s")) != version(rule(cooldown="6s"))


def test_the_words_of_the_settings() -> None:
    written = {
        "id": "person-leaves",
        "kind": "presence",
        "zone": "exit",
        "labels": ["person"],
        "overlap": 0.3,
        "frames": 3,
        "cooldown": "5s",
        "severity": "warning",
        "notify": ["ops"],
    }
    read = TypeAdapter(Rule).validate_python(written)
    assert isinstance(read, Presence)
    assert (read.frames, read.overlap, read.cooldown) == (3, 0.3, 5.0)


@pytest.mark.parametrize(
    "wrong", [{"frames": 0}, {"frames": 1.5}, {"overlap": 0}, {"cooldown": -1}, {"frame": 3}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(**wrong)
