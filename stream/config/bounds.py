"""What number is allowed, in words, as errors and references say it."""

from collections.abc import Callable, Mapping
from typing import Any

from stream.specs import duration

_BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "of at least {}",
    "exclusiveMaximum": "below {}",
    "maximum": "of at most {}",
}
"""By the keyword of JSON Schema, the lower ones first."""


def plain(value: float) -> str:
    """A bound as people write it: 64000000 and 0.25, neither 6.4e+07 nor 1.0."""
    return str(int(value)) if value == int(value) else str(value)


def number_in_words(schema: Mapping[str, Any], written: Callable[[float], str] = plain) -> str:
    """What the JSON Schema of a number, a whole number or a duration allows: ``number above 0 and
    below 1``, ``whole number from 1 to 16``, ``duration of at least 0s``.

    ``written`` writes bounds that are no durations.
    """
    word = "whole number" if schema.get("type") == "integer" else "number"
    if "multipleOf" in schema:
        word = f"multiple of {written(schema['multipleOf'])}"
    if schema.get("format") == "duration":
        word, written = "duration", duration
    if "minimum" in schema and "maximum" in schema:
        return f"{word} from {written(schema['minimum'])} to {written(schema['maximum'])}"
    bounds = [text.format(written(schema[key])) for key, text in _BOUNDS.items() if key in schema]
    # Only the first is joined to the word: "of at least 0 and below 1".
    later = [each.removeprefix("of ") for each in bounds[1:]]
    return " ".join([word, *bounds[:1], *(f"and {each}" for each in later)])
