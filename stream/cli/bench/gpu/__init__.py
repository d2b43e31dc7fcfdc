"""Batches on a card: how much of the network's own speed the ``segment`` role keeps, and beside
``ultralytics``, from single pictures to batches of 64.

All contestants of a network and picture size are started once, each in a process of its own, and
take turns in rounds. Without a card the same runs on the CPU, and says nothing about one.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from stream.cli.bench.contestants import quiet_ultralytics
from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.networks import built, weights_of
from stream.cli.bench.gpu.pictures import write
from stream.cli.bench.gpu.shifts import device_name
from stream.cli.bench.gpu.telling import keep, tell
from stream.cli.bench.gpu.turns import take_turns
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.specs import Precision


def measure(report: Report, scale: Scale) -> None:
    """Case by case: network by network, on pictures of each size."""
    card = device_name()
    report.fact("gpu.card", card)
    is_card = card != "cpu"
    report.say(f"  {card}" if is_card else "  no card: this measures the CPU, no figure for a card")
    precision: Precision = "fp16" if is_card else "f32"
    with TemporaryDirectory(prefix="maskstream-bench-") as name:
        folder = Path(name)
        quiet_ultralytics()
        # What is kept for a later run (settings, compiled networks) is gone with this one.
        os.environ |= {"YOLO_CONFIG_DIR": name, "TORCHINDUCTOR_CACHE_DIR": name}
        for network in scale.card.networks:
            weights, made_up = weights_of(network, scale, folder)
            artefact = built(weights, precision, folder)
            for shape in scale.card.shapes:
                pictures = folder / "pictures"
                source = write(scale.people, shape, pictures)
                case = Case(
                    network, weights, made_up, artefact, precision, pictures, source, shape,
                    scale.card,
                )  # fmt: skip
                _measure(report, scale, case)


def _measure(report: Report, scale: Scale, case: Case) -> None:
    report.say(f"\n{case.title}")
    if case.made_up:
        report.say("  weights made up, as none are at hand: the network alone is timed")
    rounds = take_turns(case, scale.rounds, report.say)
    tell(report, case, rounds)
    if case.shape == scale.card.shapes[0]:
        keep(report, case, rounds)
