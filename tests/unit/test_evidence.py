"""Names of evidence, and whose time is over."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from stream.evidence import CLIPS, Kept, chosen, clip_name, snapshot_name
from stream.specs import ID_PATTERN
from stream.types import FIRST_US, LAST_US, Evidence
from tests.support.scene import alert

DAY_US = 86_400_000_000


def test_a_name_follows_from_the_alert_alone() -> None:
    seen = structs.replace(alert(), id="9f2c", evidence=Evidence(3, 17))
    assert snapshot_name(seen) == "hall/2023-11-14/9f2c/3-17.jpg"
    assert clip_name(seen) == "hall/2023-11-14/9f2c/clip.mp4"


def test_all_pictures_of_an_alert_lie_in_the_folder_of_the_day_of_its_opening() -> None:
    later = structs.replace(alert("resolved", lasted_us=3 * DAY_US), evidence=Evidence(3, 90))
    assert snapshot_name(later) == "hall/2023-11-14/hall-1/3-90.jpg"
    assert clip_name(later) == clip_name(alert())


def test_an_alert_without_a_frame_has_no_picture() -> None:
    sick = structs.replace(alert(), evidence=None)
    assert snapshot_name(sick) is None
    assert clip_name(sick) is None


@pytest.mark.parametrize(
    "fields",
    [{"id": "../../etc"}, {"id": "a/b"}, {"id": ""}, {"camera": ".."}, {"camera": "/srv"}],
)
def test_a_name_never_leads_out_of_the_store(fields: dict[str, str]) -> None:
    strange = structs.replace(alert(), **fields)
    assert snapshot_name(strange) is None
    assert clip_name(strange) is None


@given(st.text(max_size=12), st.text(max_size=12), st.integers(FIRST_US, LAST_US))
def test_whatever_an_alert_is_called_its_name_is_found_again(
    camera: str, name: str, opened_us: int
) -> None:
    told = structs.replace(alert(), camera=camera, id=name, opened_us=opened_us)
    if (stored := snapshot_name(told)) is not None:
        assert chosen([Kept(stored, 0, 1)], camera=camera, alert=name)


def test_no_endpoint_of_a_user_is_called_as_ours() -> None:
    assert not re.fullmatch(ID_PATTERN, CLIPS)


KEPT = [
    Kept("hall/2026-01-01/a1/1-5.jpg", 10, 1),
    Kept("hall/2026-01-01/a1/clip.mp4", 30, 1),
    Kept("hall/2026-01-02/a2/1-9.jpg", 20, 1),
    Kept("yard/2026-01-01/a3/1-5.jpg", 10, 1),
    Kept("yard/2026-01-01/a3/clip.mp4.0a1b.part", 10, 1),
    Kept("yard/2026-01-01/a3/notes.txt", 0, 1),
    Kept("README.md", 0, 1),
]


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, ["a1/1-5.jpg", "a1/clip.mp4", "a2/1-9.jpg", "a3/1-5.jpg", "a3/clip.mp4.0a1b.part"]),
        ({"stored_before_us": 20}, ["a1/1-5.jpg", "a3/1-5.jpg", "a3/clip.mp4.0a1b.part"]),
        ({"camera": "hall"}, ["a1/1-5.jpg", "a1/clip.mp4", "a2/1-9.jpg"]),
        ({"alert": "a1"}, ["a1/1-5.jpg", "a1/clip.mp4"]),
        ({"camera": "hall", "stored_before_us": 20}, ["a1/1-5.jpg"]),
        ({"camera": "yard", "alert": "a1"}, []),
    ],
)
def test_what_goes_fulfils_every_condition_and_is_evidence(
    conditions: dict[str, int | str], names: list[str]
) -> None:
    found = chosen(KEPT, **conditions)  # type: ignore[arg-type]
    assert [each.name.split("/", 2)[2] for each in found] == names
