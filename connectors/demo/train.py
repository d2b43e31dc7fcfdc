"""Train the demo's model on drawn frames, from random weights, on a laptop's CPU.

The recipe was measured on two cores: AdamW, batches of eight, no mosaic, and a learning rate that
falls with a cosine over the time there is. About half an hour reaches a mask mAP50 above 0.9.
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.demo import dataset, yolo

_LEARNING_RATE = 0.002
_CONTINUED_RATE = 0.0008  # for weights that have been trained already
_BATCH = 8
_WARM_UP = 0.5  # epochs


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to train: drawn frames, passes over them, threads, and minutes at most (or None).

    ``start`` is a checkpoint to go on from; None begins with random weights.
    """

    frames: int = 3000
    held_out: int = 100
    epochs: int = 6
    threads: int = 2
    minutes: float | None = None
    weights: Path = yolo.WEIGHTS
    start: Path | None = None

    @property
    def rate(self) -> float:
        """The learning rate at its highest."""
        return _LEARNING_RATE if self.start is None else _CONTINUED_RATE


@dataclass(slots=True)
class _Pace:
    """The learning rate and the end of a run, by steps or by the clock, whichever is further on."""

    plan: Plan
    step: int = 0
    started: float = field(default_factory=time.monotonic)

    def on_train_start(self, trainer: Any) -> None:
        """Undo the single thread that ultralytics sets, and lay the weights out for the CPU."""
        import torch

        torch.set_num_threads(self.plan.threads)
        trainer.model.to(memory_format=torch.channels_last)
        self.started = time.monotonic()

    def on_train_batch_start(self, trainer: Any) -> None:
        """Set the rate of this step; after the last minute, stop."""
        steps = len(trainer.train_loader)
        share = self.step / (steps * self.plan.epochs)
        if self.plan.minutes is not None:
            share = max(share, (time.monotonic() - self.started) / (60 * self.plan.minutes))
        warm = min(1.0, (self.step + 1) / (_WARM_UP * steps))
        for group in trainer.optimizer.param_groups:
            group["lr"] = self.plan.rate * warm * rate_at(share)
        trainer.stop = share >= 1
        self.step += 1


def rate_at(share: float) -> float:
    """The learning rate's factor after a `share` (0 to 1) of the run: a cosine from 1 to 0.01."""
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def train(plan: Plan) -> Path:
    """Draw, train and return the path of the stripped fp16 checkpoint."""
    data = dataset.write(yolo.CACHE / "dataset", {"train": plan.frames, "held_out": plan.held_out})
    return fit(plan, data)


def fit(plan: Plan, data: Path) -> Path:
    """Train on drawn frames that ``data`` describes; as `train` otherwise."""
    model = yolo.load(plan.start or "yolov8n-seg.yaml")
    pace = _Pace(plan)
    model.add_callback("on_train_start", pace.on_train_start)
    model.add_callback("on_train_batch_start", pace.on_train_batch_start)
    model.train(data=str(data), epochs=plan.epochs, **_settings(plan))
    # with no validation on the way, the last checkpoint is the averaged and final one
    plan.weights.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model.trainer.last, plan.weights)
    print(f"trained in {(time.monotonic() - pace.started) / 60:.1f} min: {plan.weights.name}")
    return plan.weights


def _settings(plan: Plan) -> dict[str, Any]:
    fixed = {
        "imgsz": yolo.IMAGE_SIZE,
        "rect": True,
        "batch": _BATCH,
        "nbs": _BATCH,
        "device": "cpu",
        "workers": 0,
        "cache": "ram",
        "amp": False,
        "pretrained": plan.start is not None,
        "seed": 0,
        "val": False,
        "plots": False,
        "project": str(yolo.CACHE / "runs"),
        "name": "yard",
        "exist_ok": True,
        "verbose": True,
    }
    # the rate itself is set step by step in _Pace
    optimiser = {
        "optimizer": "AdamW",
        "lr0": _LEARNING_RATE,
        "weight_decay": 0.01,
        "warmup_epochs": 0,
    }
    augmentation = {
        "mosaic": 0,
        "close_mosaic": 0,
        "fliplr": 0.5,
        "hsv_h": 0.01,
        "hsv_s": 0.3,
        "hsv_v": 0.2,
        "translate": 0.03,
        "scale": 0.1,
    }
    return {**fixed, **optimiser, **augmentation}


def main() -> None:
    """The command: `python -m connectors.demo.train`."""
    defaults = Plan()
    parser = argparse.ArgumentParser(description="Train the demo's model on drawn frames.")
    parser.add_argument("--frames", type=int, default=defaults.frames)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--threads", type=int, default=defaults.threads)
    parser.add_argument("--minutes", type=float, help="stop after so long, rate and all")
    parser.add_argument("--weights", type=Path, default=defaults.weights)
    parser.add_argument("--start", type=Path, help="go on from this checkpoint")
    given = parser.parse_args()
    train(
        Plan(
            frames=given.frames,
            epochs=given.epochs,
            threads=given.threads,
            minutes=given.minutes,
            weights=given.weights,
            start=given.start,
        )
    )


if __name__ == "__main__":
    main()
