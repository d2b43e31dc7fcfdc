"""The real weights as an artefact, real pictures, and ultralytics as the reference."""

import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import pytest

from connectors.models import Artefact, Build, build_artefact
from stream.types import Pixels
from tests.support.required import require

CLIPS = ("one-by-one-person-detection", "bottle-detection")
FRAMES = 100


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Torch and ultralytics may be imported: they are the reference."""
    present = find_spec("torch") is not None and find_spec("ultralytics") is not None
    require("segment", present, "torch and ultralytics are not installed: the segment extra")
    os.environ["YOLO_CONFIG_DIR"] = str(tmp_path_factory.mktemp("ultralytics"))
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")


@pytest.fixture(scope="session")
def weights(shared: Path) -> Path:
    return shared / "weights" / "yolov8n-seg.pt"


@pytest.fixture(scope="session")
def artefact(reference: None, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """The real weights in f32, for both runtimes."""
    return build_artefact(Build(weights), tmp_path_factory.mktemp("artefacts") / "f32")


@pytest.fixture(scope="session")
def predict(reference: None, weights: Path) -> Callable[[Pixels], Any]:
    """What ultralytics sees in one picture."""
    from ultralytics import YOLO

    network = YOLO(str(weights))

    def one(pixels: Pixels) -> Any:
        (seen,) = network.predict(
            pixels, retina_masks=True, conf=0.25, iou=0.7, imgsz=640, verbose=False, device="cpu"
        )
        return seen

    return one


@pytest.fixture(scope="session")
def pictures(shared: Path) -> Callable[[str], list[Pixels]]:
    """A hundred frames, spread evenly over a clip."""

    @cache
    def of(clip: str) -> list[Pixels]:
        with av.open(str(shared / "video" / f"{clip}.mp4")) as container:
            video = container.streams.video[0]
            every = video.frames // FRAMES
            chosen = [
                frame.to_ndarray(format="bgr24")
                for index, frame in enumerate(container.decode(video))
                if index % every == 0
            ]
        return chosen[:FRAMES]

    return of
