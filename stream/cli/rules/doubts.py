"""What in rules and a recording does not fit together, so that a quiet rule says nothing."""

from collections.abc import Iterable, Iterator

from stream.backtest import Found
from stream.rules import AnyRule, Health
from stream.watching import Plans


def doubts(rules: Iterable[AnyRule], plans: Plans, found: Found) -> Iterator[str]:
    """A line for each camera and label that a rule watches and the recording has not, and for
    what could not be read.
    """
    for rule in rules:
        recorded = [each for each in found.cameras if rule in plans[each].rules]
        if not recorded:
            camera = next((each for each in sorted(plans) if rule in plans[each].rules), "any")
            yield f"rule {rule.id}: camera {camera} is not in the recording"
            continue
        seen = {label for each in recorded for label in found.cameras[each].labels}
        if missing := [label for label in _labels(rule) if label not in seen]:
            had = ", ".join(sorted(seen)) or "nothing"
            yield f"rule {rule.id}: no result has {', '.join(missing)}; seen was {had}"
    for camera, each in sorted(found.cameras.items()):
        if each.unread:
            what = "result" if each.unread == 1 else "results"
            yield f"camera {camera}: {each.unread} {what} cannot be read; first {each.fault}"


def _labels(rule: AnyRule) -> tuple[str, ...]:
    return () if isinstance(rule, Health) else rule.wanted or ()
