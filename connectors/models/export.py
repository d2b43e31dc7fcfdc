"""The child process that makes a model artefact: ``python -m connectors.models.export``.

Reads one JSON request from its input; on refusal it prints one line and exits 78. Only here are
weights unpickled, and only what ultralytics' list of known classes allows.
"""

import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.models import artefact
from connectors.models.build import Build
from connectors.models.letterbox import fit, letterbox
from stream.errors import EXIT_CONFIG, ModelError
from stream.ports import Window

CALIBRATION_FRAMES = 200


class Request(msgspec.Struct):
    """What the parent asks for."""

    build: Build
    folder: Path


def main() -> int:
    """Make the artefact that the request on the input asks for."""
    request = msgspec.json.decode(
        sys.stdin.buffer.read(), type=Request, dec_hook=lambda kind, value: kind(value)
    )
    try:
        export(request.build, request.folder)
    except ModelError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    return 0


def export(build: Build, folder: Path) -> None:
    """Write manifest and weights to ``folder``."""
    from safetensors.torch import save

    from connectors.models.raw_head import LICENCE, RawHead
    from connectors.models.silent import openvino

    network, licence = _load(build.weights)
    folder.mkdir()
    half = build.half or build.precision != "f32"
    if build.runtime == "both":
        # Not as a file: its makers let nobody but its owner read that.
        (folder / artefact.TORCH).write_bytes(save(_tensors(network, half)))
    architecture = {**network.yaml, "nc": len(network.names)}
    labels = tuple(str(network.names[index]) for index in range(len(network.names)))
    raw = RawHead(network.eval().fuse(verbose=False))
    graph = _graph(raw)
    if build.calibrate is not None and build.precision == "int8":
        graph = _quantised(graph, build.calibrate, build.image_size, raw)
    openvino.save_model(graph, folder / artefact.OPENVINO, compress_to_fp16=half)
    weights = {path.name: artefact.digest(path) for path in sorted(folder.iterdir())}
    artefact.write(
        folder,
        artefact.Manifest(
            format=artefact.FORMAT,
            name=build.name or build.weights.stem,
            task="segment",
            labels=labels,
            precision=build.precision,
            storage="f16" if half else "f32",
            stride=max(raw.strides),
            source_sha256=artefact.digest(build.weights),
            weights=weights,
            calibration=artefact.digest(build.calibrate) if build.calibrate else None,
            licence=licence or LICENCE,
            architecture=architecture,
            made_with={name: version(name) for name in _MAKERS if _installed(name)},
        ),
    )


_MAKERS = ("maskstream", "ultralytics-opencv-headless", "torch", "openvino", "nncf")


def _load(weights: Path) -> tuple[Any, str | None]:
    """The float32 network in a checkpoint and the licence it names."""
    from ultralytics.nn.modules.head import Segment
    from ultralytics.nn.tasks import guess_model_task, torch_safe_load

    try:
        checkpoint, _ = torch_safe_load(weights.resolve(), safe_only=True)
        network = (checkpoint.get("ema") or checkpoint["model"]).float()
    except (TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"not an ultralytics checkpoint: {reason}") from error
    head = network.model[-1]
    if type(head) is not Segment or head.end2end or head.reg_max != 16:
        raise ModelError(
            f"task {guess_model_task(network)} (head {type(head).__name__}), "
            "allowed: segment, as YOLOv8-seg has it"
        )
    return network, checkpoint.get("license")


def _tensors(network: Any, half: bool) -> dict[str, Any]:
    """What the torch network is rebuilt from; f16 where that loses nothing, or is asked for."""
    tensors = {}
    for name, tensor in network.state_dict().items():
        short = tensor.half() if tensor.is_floating_point() else tensor
        tensors[name] = (short if half or (short.float() == tensor).all() else tensor).contiguous()
    return tensors


def _graph(raw: Any) -> Any:
    """The network as an OpenVINO graph with free batch, height and width."""
    import torch

    from connectors.models.silent import openvino

    raw.fold_input()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; the converter still uses it
        return openvino.convert_model(
            raw.eval(),
            example_input=torch.zeros(1, 64, 64, 3, dtype=torch.uint8),
            input=[openvino.PartialShape([-1, -1, -1, 3])],
        )


def _quantised(graph: Any, clip: Path, image_size: int, raw: Any) -> Any:
    """Int8 by post-training quantisation, all but the head, whose raw logits need more digits."""
    import nncf

    frames = list(_frames(clip, image_size, max(raw.strides)))
    head = rf".*layers\.{len(raw.layers) - 1}\..*"
    return nncf.quantize(
        graph,
        nncf.Dataset(frames),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(frames),
        ignored_scope=nncf.IgnoredScope(patterns=[head]),
    )


def _frames(clip: Path, image_size: int, stride: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures spread evenly over a clip, as the network's input takes them."""
    import av

    try:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            every = max((stream.frames or 1) // CALIBRATION_FRAMES, 1)
            for index, frame in enumerate(container.decode(stream)):
                if index % every == 0:
                    pixels = frame.to_ndarray(format="bgr24")
                    geometry = fit((frame.height, frame.width), image_size, stride)
                    picture = np.empty((1, *geometry.network, 3), np.uint8)
                    window = Window(0, 0, frame.width, frame.height)
                    letterbox(pixels, window, geometry, picture[0])
                    yield picture
    except (av.FFmpegError, IndexError) as error:
        raise ModelError(f"--calibrate {clip}: not a video: {error}") from error


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
