"""Drawn frames on disk in the YOLO segmentation format: a JPEG and a text file of polygons each."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from connectors.demo.geometry import HEIGHT, WIDTH
from connectors.demo.looks import HELD_OUT, TRAIN
from connectors.demo.render import LABELS, Frame
from connectors.demo.scene import drawn_frame

FAMILIES = {"train": TRAIN, "held_out": HELD_OUT}
"""What a split is drawn from. The seeds differ too, so that no layout is seen twice."""

_FIRST_SEED = {"train": 1_000_000, "held_out": 9_000_000}
LEAST = 160
"""Pixels of 832x468, six by six of those that the model sees: less of a thing is a sliver."""

Ring = NDArray[np.int32]


def write(root: Path, counts: dict[str, int], processes: int = 2) -> Path:
    """Draw `counts` frames of each split under `root`, anew, and return the path of its yaml."""
    shutil.rmtree(root, ignore_errors=True)
    for split, count in counts.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        seeds = range(_FIRST_SEED[split], _FIRST_SEED[split] + count)
        # spawned, as a fork after OpenCV has started its threads may hang
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            pool.map(partial(_write_one, root, split), seeds, chunksize=16)
        print(f"drew {count} frames of {split}", flush=True)
    return _describe(root, counts)


def _describe(root: Path, counts: dict[str, int]) -> Path:
    names = "\n".join(f"  {index}: {name}" for index, name in enumerate(LABELS))
    train = "train" if "train" in counts else "held_out"
    path = root / "data.yaml"
    text = f"path: {root.resolve()}\ntrain: images/{train}\nval: images/held_out\nnames:\n{names}\n"
    path.write_text(text)
    return path


def _write_one(root: Path, split: str, seed: int) -> None:
    cv2.setNumThreads(1)
    frame = drawn_frame(seed, FAMILIES[split])
    image = frame.image
    if split == "train":
        # halved here as a segmenter halves it, which spares the training the work
        image = cv2.resize(image, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    quality = 80 + seed % 18
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    cv2.imwrite(str(root / "images" / split / f"{seed}.jpg"), image, options)
    (root / "labels" / split / f"{seed}.txt").write_text("\n".join(polygons(frame)))


def polygons(frame: Frame) -> list[str]:
    """One line an instance: its class, then x y pairs as fractions of width and height."""
    lines = []
    for index, label in enumerate(frame.labels):
        mask = frame.mask(index)
        if mask.sum() < LEAST:
            continue
        found, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        parts = [c[:, 0].astype(np.int32) for c in found if len(c) > 2]
        if parts:
            ring = (joined(parts) + 0.5) / (WIDTH, HEIGHT)
            lines.append(f"{label} " + " ".join(f"{v:.5f}" for v in ring.ravel()))
    return lines


def joined(parts: Sequence[Ring]) -> Ring:
    """One ring through all parts, each (n, 2), by bridges of no width: the format has only one."""
    whole = parts[0]
    for part in parts[1:]:
        gaps = ((whole[:, None] - part[None]) ** 2).sum(axis=2)
        i, j = np.unravel_index(int(gaps.argmin()), gaps.shape)
        detour = np.roll(part, -j, axis=0)
        whole = np.concatenate([whole[: i + 1], detour, detour[:1], whole[i:]])
    return whole
