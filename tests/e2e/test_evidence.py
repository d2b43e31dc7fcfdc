"""Evidence of the real clip: what a receiver of the webhook finds behind its links."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import av
import cv2
import numpy as np
import pytest
import simplejpeg

from stream.masks import Mask
from stream.types import Pixels
from tests.e2e.test_real_clips import receiver, run
from tests.support.pictures import PEOPLE, pictures, write_film

SECONDS = 16.0
"""Of the clip: somebody comes to the table."""
ZONE_LEFT = 0.55

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONFIG = """\
model: {{weights: {shared}/weights/yolov8n-seg.pt, precision: f32, image_size: 320,
        labels: [person]}}
cameras: [{{id: hall, url: hall.mp4, mode: archive}}]
zones: [{{id: table, camera: hall, polygon: [[{left}, 0.3], [1, 0.3], [1, 1], [{left}, 1]]}}]
rules:
  - {{id: at-the-table, kind: presence, zone: table, labels: [person], overlap: 0.3, frames: 3,
     notify: [ops], clip: {{before: 2s, after: 3s}}}}
endpoints:
  - {{id: ops, url: "http://127.0.0.1:{port}/hook", secret: {{env: OPS_SECRET}},
     allow_private: true}}
evidence: {{store: evidence, blur: [person]}}
drain: 60
"""


def linked(link: str) -> Path:
    return Path(unquote(urlsplit(link).path))


def detail(pixels: Pixels) -> np.ndarray:
    """What is left of a picture without its coarse forms: what people are recognised by."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 3))


def likeness(one: Pixels, other: Pixels, where: np.ndarray) -> float:
    """How alike two pictures are in their detail: 1 is the same, 0 nothing of it."""
    return float(np.corrcoef(detail(one)[where], detail(other)[where])[0, 1])


async def test_the_links_in_the_webhook_lead_to_a_picture_and_a_clip_that_show_nobody(
    shared: Path, tmp_path: Path
) -> None:
    film = pictures(shared / "video" / PEOPLE, 0, SECONDS)
    write_film(str(tmp_path / "hall.mp4"), film, "libx264", 10, crf="10")
    async with receiver() as (port, came):
        config = tmp_path / "c.yaml"
        config.write_text(CONFIG.format(shared=shared, port=port, left=ZONE_LEFT))
        await run(config)

    (opened,) = [each["data"] for each in came if each["type"] == "alert.opened"]
    assert isinstance(opened, dict)
    seen = opened["evidence"]
    snapshot, clip = linked(opened["snapshot"]), linked(opened["clip"])
    assert snapshot.is_relative_to(tmp_path / "evidence/hall")
    assert snapshot.name == f"1-{seen['seq']}.jpg"
    shows_nobody(simplejpeg.decode_jpeg(snapshot.read_bytes(), "BGR"), film[seen["seq"]], seen)
    shows_five_seconds(clip)
    left = [each for each in (tmp_path / "evidence").rglob("*") if each.is_file()]
    assert sorted(left) == sorted([snapshot, clip])


def shows_nobody(shown: Pixels, frame: Pixels, seen: dict[str, Any]) -> None:
    mask = seen["mask"]
    person = Mask.from_counts(tuple(mask["size"]), mask["counts"]).bitmap().astype(np.uint8)
    inside = cv2.erode(person, np.ones((15, 15))).astype(bool)
    away = ~cv2.dilate(person, np.ones((61, 61))).astype(bool)
    away[: shown.shape[0] // 8] = away[-shown.shape[0] // 8 :] = False  # labels are written there
    away[:, round(ZONE_LEFT * shown.shape[1]) - 9 :] = False
    assert likeness(shown, frame, inside) < 0.3, "nothing of the person is left"
    assert likeness(shown, frame, away) > 0.8, "the room is as it was"
    line = (round(0.9 * shown.shape[0]), round(ZONE_LEFT * shown.shape[1]))
    reddened = shown[line].astype(int) - frame[line]
    assert reddened[2] - reddened[1] > 40, "the zone's side is drawn in red"


def shows_five_seconds(clip: Path) -> None:
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        times = [float(each.time or 0) for each in container.decode(video=0)]
    assert times == pytest.approx([n / 10 for n in range(51)], abs=0.01)
    content = clip.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "it plays while it is fetched"
