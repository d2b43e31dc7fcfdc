"""What a test needs from outside the project: absent on a laptop, demanded where it is named."""

import os

import pytest

VARIABLE = "MASKSTREAM_REQUIRE"


def require(name: str, present: bool, sentence: str) -> None:
    """Go on where the thing is present; else skip with ``sentence``, or fail where it is demanded.

    ``MASKSTREAM_REQUIRE`` is a comma list of the names that must be there.
    """
    if present:
        return
    demanded = {part.strip() for part in os.environ.get(VARIABLE, "").split(",")}
    if name in demanded:
        pytest.fail(f"{VARIABLE} names {name}, but: {sentence}")
    pytest.skip(sentence)
