"""The example of docs/webhooks.md works as it is written there."""

from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest
import simplejpeg

from connectors.demo.film import FILM, FPS
from stream.cli.bench.clips import beginning
from tests.support.webhook_page import blocks, done

SECONDS = 48
"""Of the film: in them somebody lingers, and leaves."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_example_ends_in_webhooks_with_a_picture_and_a_clip(tmp_path: Path) -> None:
    film = beginning(FILM, SECONDS * FPS, tmp_path)
    lines = done(tmp_path, film)
    shown = blocks("Try it", "")[0].splitlines()
    assert [without_links(line) for line in lines] == [without_links(line) for line in shown]

    link = lines[2].split()[-1]
    assert lines[3].split()[-1] == link
    snapshot = Path(urlsplit(link).path)
    assert snapshot.is_relative_to(tmp_path / "out/evidence/yard")
    assert simplejpeg.decode_jpeg(snapshot.read_bytes(), "BGR").shape == (468, 832, 3)
    with av.open(str(snapshot.with_name("clip.mp4"))) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 6 * FPS + 1


def without_links(line: str) -> list[str]:
    return [word for word in line.split() if not word.startswith("file:")]
