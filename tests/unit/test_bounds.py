"""What number is allowed reads as English, whatever bounds it has."""

from collections.abc import Mapping

import pytest

from stream.config.bounds import number_in_words

LOWER: Mapping[str, Mapping[str, float]] = {
    "no": {}, "open": {"exclusiveMinimum": 0.0}, "closed": {"minimum": 1.0},
}  # fmt: skip
UPPER: Mapping[str, Mapping[str, float]] = {
    "no": {}, "open": {"exclusiveMaximum": 2.5}, "closed": {"maximum": 64_000_000},
}  # fmt: skip
WORDS = {
    ("no", "no"): "number",
    ("open", "no"): "number above 0",
    ("closed", "no"): "number of at least 1",
    ("no", "open"): "number below 2.5",
    ("no", "closed"): "number of at most 64000000",
    ("open", "open"): "number above 0 and below 2.5",
    ("open", "closed"): "number above 0 and at most 64000000",
    ("closed", "open"): "number of at least 1 and below 2.5",
    ("closed", "closed"): "number from 1 to 64000000",
}


@pytest.mark.parametrize("lower", LOWER)
@pytest.mark.parametrize("upper", UPPER)
def test_every_pair_of_bounds_has_its_words(lower: str, upper: str) -> None:
    bounds = {**LOWER[lower], **UPPER[upper]}
    words = WORDS[lower, upper]
    assert number_in_words({"type": "number", **bounds}) == words
    assert number_in_words({"type": "integer", **bounds}) == f"whole {words}"
    multiple = number_in_words({"type": "integer", "multipleOf": 32, **bounds})
    assert multiple == words.replace("number", "multiple of 32", 1)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "duration"),
        ({"exclusiveMinimum": 0, "maximum": 3600}, "duration above 0s and at most 1h"),
        ({"minimum": 0.5}, "duration of at least 500ms"),
        ({"minimum": 60, "maximum": 30 * 86_400}, "duration from 1m to 30d"),
    ],
)
def test_bounds_of_a_duration_are_durations(bounds: Mapping[str, float], words: str) -> None:
    assert number_in_words({"type": "number", "format": "duration", **bounds}) == words


def test_a_reference_may_write_bounds_in_its_own_way() -> None:
    schema = {"type": "integer", "minimum": 1, "maximum": 1000}
    assert number_in_words(schema, "{:,}".format) == "whole number from 1 to 1,000"
