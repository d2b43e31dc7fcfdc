"""Was every frame that was offered answered, once, in order?"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.audit import Audit, EpochAudit
from stream.types import Gap, GapReason, MaskMessage, Result
from tests.support.build import closed, gap, health, opened, result


def audited(*messages: MaskMessage) -> Audit:
    audit = Audit()
    for message in messages:
        audit.add(message)
    return audit


def cut(*messages: MaskMessage) -> Audit:
    """Of a topic whose beginning is gone."""
    audit = Audit(cut=True)
    for message in messages:
        audit.add(message)
    return audit


def only(audit: Audit) -> EpochAudit:
    (epoch,) = audit.epochs
    return epoch


def test_an_epoch_with_a_terminal_for_each_frame_is_complete() -> None:
    audit = audited(opened(mode="live"), result(0), gap(1, 3), result(4), closed(5))
    epoch = only(audit)
    assert audit.passed
    assert epoch.complete
    assert (epoch.offered, epoch.results, epoch.gaps) == (5, 2, {"stale": 3})
    assert (epoch.missing, epoch.duplicates, epoch.out_of_order) == (0, 0, 0)


def test_how_a_camera_is_answers_no_frame_and_asks_for_none() -> None:
    well: list[MaskMessage] = [opened(mode="live"), result(0), gap(1, 3), result(4), closed(5)]
    ailing = [health(0, epoch=0), *(each for one in well for each in (one, health(9))), health(5)]
    for audit in (audited(*ailing), cut(*ailing)):
        assert audit.passed
        assert only(audit).complete
        assert only(audit).results == 2
    assert cut(health(7), result(8), closed(9)).passed


def test_a_hole_is_missing_whether_the_epoch_is_closed_or_not() -> None:
    for end in ((), (closed(5),)):
        audit = audited(opened(), result(0), result(4), *end)
        assert audit.missing == 3
        assert only(audit).holes == [(1, 3)]
        assert not audit.passed


def test_frames_after_the_last_terminal_are_missing_once_the_epoch_is_closed() -> None:
    audit = audited(opened(), result(0), closed(4))
    assert audit.missing == 3
    assert not audit.passed


def test_a_terminal_beyond_the_close_is_told() -> None:
    audit = audited(opened(), result(0), result(1), closed(1))
    assert [epoch.beyond for epoch in audit.epochs] == [1]
    assert not audit.passed


def test_an_unclosed_tail_is_never_complete_and_no_proof_of_a_loss() -> None:
    audit = audited(opened(), result(0), result(1))
    assert not only(audit).complete
    assert only(audit).offered == 2
    assert audit.passed


def test_a_second_terminal_counts_as_a_duplicate_and_the_first_wins() -> None:
    epoch = only(audited(opened(mode="live"), result(0), result(1), gap(0, 2), closed(3)))
    assert (epoch.results, epoch.gaps["stale"], epoch.duplicates) == (2, 1, 2)
    assert epoch.complete


def test_a_terminal_that_comes_late_fills_its_hole_and_is_out_of_order() -> None:
    epoch = only(audited(opened(), result(0), result(2), result(1), closed(3)))
    assert (epoch.out_of_order, epoch.missing, epoch.holes) == (1, 0, [])


def test_a_file_loses_frames_to_dead_letters_only() -> None:
    assert audited(opened(), gap(0, 0, "dead_letter"), closed(1)).passed
    audit = audited(opened(), result(0), gap(1, 2, "overflow"), closed(3))
    assert only(audit).lost_of_archive == 2
    assert not only(audit).complete
    assert not audit.passed


def test_a_live_camera_may_have_gaps() -> None:
    assert audited(opened(mode="live"), gap(0, 8, "overflow"), closed(9)).passed


def test_epochs_and_cameras_are_judged_apart() -> None:
    audit = audited(
        opened("b"), opened("a"), result(0, "a"), closed(1, "a"), closed(2, "b"),
        opened("a", epoch=2), closed(0, "a", epoch=2),
    )  # fmt: skip
    assert [(each.camera, each.epoch, each.missing) for each in audit.epochs] == [
        ("a", 1, 0), ("a", 2, 0), ("b", 1, 2),
    ]  # fmt: skip


def test_an_epoch_in_order_takes_no_memory_per_frame() -> None:
    audit = audited(opened(mode="live"), *[result(seq) for seq in range(5000)])
    kept = vars(only(audit)).values()
    assert [each for each in kept if isinstance(each, list | set | dict) and each] == []


class Naive:
    """An audit that remembers every frame."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.kinds: Counter[str] = Counter()
        self.duplicates = 0
        self.out_of_order = 0

    def add(self, message: Result | Gap) -> None:
        if isinstance(message, Gap):
            kind, covered = str(message.reason), set(range(message.first, message.last + 1))
        else:
            kind, covered = "result", {message.seq}
        fresh = covered - self.seen
        self.kinds[kind] += len(fresh)
        self.duplicates += len(covered) - len(fresh)
        self.out_of_order += sum(seq < self.known for seq in fresh)
        self.seen |= covered

    @property
    def known(self) -> int:
        return max(self.seen, default=-1) + 1


ranges = st.tuples(st.integers(0, 30), st.integers(0, 6))
reasons: st.SearchStrategy[GapReason] = st.sampled_from(["stale", "overflow", "dead_letter"])
terminals = st.lists(
    ranges.map(lambda each: result(each[0]))
    | st.builds(lambda each, why: gap(each[0], sum(each), why), ranges, reasons),
    max_size=40,
)


@given(terminals, st.none() | st.integers(0, 45))
def test_the_audit_counts_as_one_that_remembers_every_frame(
    messages: list[Result | Gap], frames: int | None
) -> None:
    naive = Naive()
    for message in messages:
        naive.add(message)
    offered = naive.known if frames is None else max(naive.known, frames)
    epoch = only(audited(opened(), *messages, *([] if frames is None else [closed(frames)])))
    assert epoch.missing == len(set(range(offered)) - naive.seen)
    counted = Counter[str]({str(reason): number for reason, number in epoch.gaps.items()})
    assert +(counted + Counter(result=epoch.results)) == +naive.kinds
    assert (epoch.duplicates, epoch.out_of_order) == (naive.duplicates, naive.out_of_order)


def test_a_topic_whose_beginning_is_gone_begins_with_what_is_there() -> None:
    epoch = only(cut(result(7), gap(8, 9), result(10), closed(11)))
    assert (epoch.first, epoch.offered, epoch.results, epoch.missing) == (7, 4, 2, 0)
    assert epoch.complete


def test_holes_after_a_cut_are_missing_all_the_same() -> None:
    audit = cut(gap(7, 8), result(10), closed(12))
    epoch = only(audit)
    assert (epoch.offered, epoch.missing) == (5, 2)
    assert not audit.passed


def test_an_epoch_that_opens_after_a_cut_begins_with_its_first_frame() -> None:
    assert cut(opened(), result(1), closed(2)).missing == 1


def test_an_epoch_of_which_only_the_close_is_left_is_complete() -> None:
    epoch = only(cut(closed(900)))
    assert (epoch.offered, epoch.missing, epoch.beyond) == (0, 0, 0)
    assert epoch.complete


def test_without_a_cut_the_beginning_is_missing() -> None:
    assert audited(result(7), closed(8)).missing == 7
