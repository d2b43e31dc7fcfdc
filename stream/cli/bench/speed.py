"""Speed and rightness of segmenting on this machine, against what people would use instead.

Every speed is frames per second over the same stretch of the same clip with the same weights,
decoding included, except for the networks alone, which are given one picture again and again.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.models import Build, build_artefact, open_model
from stream.cli.bench import accuracy, contestants
from stream.cli.bench.clips import beginning, frame_count, require
from stream.cli.bench.contest import Start, interleave
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.errors import ModelError
from stream.specs import ModelSpec, Precision

PRECISIONS: tuple[Precision, ...] = ("f32", "bf16", "int8", "fp16")
TORCH = "ultralytics predict, PyTorch f32"
OPENVINO = "ultralytics predict, OpenVINO bf16"
JPEG = "maskstream bf16, JPEG between"
RATIOS = {
    "f32_vs_ultralytics_torch": ("maskstream f32", TORCH),
    "bf16_vs_ultralytics_torch": ("maskstream bf16", TORCH),
    "bf16_vs_ultralytics_openvino": ("maskstream bf16", OPENVINO),
    "f32_vs_network": ("maskstream f32", "network alone, f32"),
    "bf16_vs_network": ("maskstream bf16", "network alone, bf16"),
    "int8_vs_network": ("maskstream int8", "network alone, int8"),
    "int8_vs_bf16": ("maskstream int8", "maskstream bf16"),
    "bf16_jpeg_vs_raw": (JPEG, "maskstream bf16"),
}


def measure(report: Report, scale: Scale) -> None:
    """Take turns with the networks alone and with ultralytics; then judge the masks."""
    with TemporaryDirectory(prefix="maskstream-bench-") as name:
        folder = Path(name)
        specs = _models(report, scale, folder)
        clip = beginning(scale.people, scale.frames, folder)
        rates = interleave(_contestants(specs, scale, clip, folder), scale.rounds, report.say)
        _tell(report, rates)
        accuracy.measure(report, (scale.people, scale.bottles), scale.judged, specs)


def _models(report: Report, scale: Scale, folder: Path) -> dict[str, ModelSpec]:
    """A model for each precision that this machine computes in, from the same weights.

    int8 is calibrated on the first half of the bottle clip.
    """
    half = beginning(scale.bottles, frame_count(scale.bottles) // 2, folder)
    weights = require(scale.weights)
    specs: dict[str, ModelSpec] = {}
    for precision in PRECISIONS:
        calibrate = half if precision == "int8" else None
        artefact = build_artefact(Build(weights, precision, calibrate), folder / precision)
        spec = ModelSpec(weights=artefact.folder, precision=precision)
        try:
            open_model(spec, folder, folder)
        except ModelError as error:
            report.say(f"  left out: {error}")
        else:
            specs[precision] = spec
    return specs


def _contestants(
    specs: Mapping[str, ModelSpec], scale: Scale, clip: Path, folder: Path
) -> dict[str, Start]:
    starts: dict[str, Start] = {}
    for precision, spec in specs.items():
        starts[f"maskstream {precision}"] = partial(contestants.pipeline, spec, clip, "raw")
        starts[f"network alone, {precision}"] = partial(contestants.network, spec, scale.frames)
    if "bf16" in specs:
        starts[JPEG] = partial(contestants.pipeline, specs["bf16"], clip, "jpeg")
        starts[OPENVINO] = partial(contestants.ultralytics_openvino, scale.weights, clip, folder)
    starts[TORCH] = partial(contestants.ultralytics_torch, scale.weights, clip)
    return starts


def _tell(report: Report, rates: Mapping[str, Sequence[float]]) -> None:
    report.rates("frames/s", rates)
    ratios = [
        [f"{ours} / {other}", report.ratio(f"speed.{name}", rates[ours], rates[other])]
        for name, (ours, other) in RATIOS.items()
        if ours in rates and other in rates
    ]
    report.table(["ratio", "median (lowest…highest)"], ratios)
    report.bars("speed", "YOLOv8n-seg on 768×432, decoding included", "frames/s", rates)
