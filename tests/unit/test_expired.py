"""What is missing between a camera's last answer and its next record."""

import pytest

from stream.codec import encode
from stream.expired import expired
from stream.types import MaskMessage
from tests.support.build import closed, gap, health, opened, result


@pytest.mark.parametrize(
    ("last", "then", "missing"),
    [
        (result(4), closed(9), (5, 8)),
        (gap(2, 4), health(9), (5, 8)),
        (health(5), closed(9), (5, 8)),
        (health(5), gap(9, 11), (5, 8)),
        (opened(), health(9), (0, 8)),
        (result(8), health(9), None),
        (health(9), health(9), None),
        (closed(9), health(9), None),
        (closed(9), health(0, epoch=2), None),
    ],
)
def test_what_lies_between_is_missing(
    last: MaskMessage, then: MaskMessage, missing: tuple[int, int] | None
) -> None:
    found = expired(encode(then), encode(last))
    assert (None if found is None else (found.first, found.last)) == missing
