"""The pictures of the rules' page are what the rules say of what is drawn."""

from typing import get_args

import cv2
import numpy as np
import pytest

from stream.rules import AnyRule
from stream.types import Pixels
from tests.setup.rule_pictures import FOLDER, moments, path_of, picture
from tests.setup.rule_scenes import scenes

MOST_BYTES = 100_000
CELL_PX = 12
MOST_APART = 20
"""Of 255, between cells: noise of JPEG makes 2 to 3, another font some more; a line that is missing
makes 31."""


def difference(one: Pixels, other: Pixels) -> float:
    """The largest between cells of two pictures of one size."""
    assert one.shape == other.shape
    rows, columns = one.shape[0] // CELL_PX, one.shape[1] // CELL_PX
    small = [
        cv2.resize(each, (columns, rows), interpolation=cv2.INTER_AREA).astype(int)
        for each in (one, other)
    ]
    return float(np.abs(small[0] - small[1]).mean(axis=2).max())


def test_every_kind_has_a_small_picture_on_the_page() -> None:
    page = (FOLDER.parent / "rules.md").read_text()
    kinds = {kind.model_fields["kind"].default for kind in get_args(AnyRule)}
    assert scenes().keys() == kinds
    for kind in kinds:
        assert f"](images/rule-{kind}.jpg)" in page
        assert path_of(kind).stat().st_size < MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("kind", scenes())
def test_a_picture_shows_what_its_rule_says(kind: str) -> None:
    scene = scenes()[kind]
    shown = moments(scene)
    states = [(one.time_s, one.alert.state if one.alert else None) for one in shown]
    assert states == list(scene.shown)
    kept = cv2.imread(str(path_of(kind)))
    assert kept is not None
    assert difference(picture(scene, shown), kept) < MOST_APART
    turned = picture(scene, shown[::-1])
    assert difference(turned, kept) > 2 * MOST_APART, "another order is another picture"
