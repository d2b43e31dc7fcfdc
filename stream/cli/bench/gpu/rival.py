"""What people would use instead: ``ultralytics`` predict on batches of pictures."""

import time
from contextlib import redirect_stdout
from itertools import cycle, islice

from stream.cli.bench.contestants import CONFIDENCE, IMAGE_SIZE, IOU, quiet_ultralytics
from stream.cli.bench.gpu.alone import Round
from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.pictures import decoded, jpegs
from stream.cli.bench.gpu.shifts import Shift, fitting, settle, shift


def predicting(case: Case) -> Round:
    """The same JPEG pictures to its `Results`, which it leaves on the device and encodes not.

    Pictures are decoded with our decoder, one after the other, and given to it as a list, which it
    takes as one batch. Its precision is that of the case.
    """
    quiet_ultralytics()
    import torch

    with redirect_stdout(None):
        from ultralytics import YOLO

        model = YOLO(str(case.weights))
    pictures = jpegs(case.pictures)
    half = case.precision == "fp16"
    device = 0 if torch.cuda.is_available() else "cpu"

    def predict(batch: int) -> int:
        chosen = decoded(list(islice(turns, batch)))
        seen = model.predict(
            chosen, imgsz=IMAGE_SIZE, conf=CONFIDENCE, iou=IOU, device=device,
            quantize=16 if half else None, verbose=False,
        )  # fmt: skip
        return len(seen)

    turns = cycle(pictures)
    prepared: set[int] = set()

    def run(batch: int) -> Shift:
        if batch not in prepared:
            predict(batch)
            assert model.predictor.model.fp16 == half, "the precisions differ"
            prepared.add(batch)

        def work() -> int:
            began, frames = time.perf_counter(), 0
            while time.perf_counter() - began < case.scale.seconds:
                frames += predict(batch)
            settle()
            return frames

        return shift(work)

    return fitting(run)
