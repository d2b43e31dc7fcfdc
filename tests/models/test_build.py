"""Making and opening model artefacts, and what is refused."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.models import Artefact, Build, build_artefact, cached_artefact, open_model
from connectors.models import build as building
from connectors.models.artefact import MANIFEST, OPENVINO, TORCH, digest, read
from connectors.models.export import export
from connectors.models.openvino_network import precisions
from stream.errors import EXIT_CONFIG, ModelError
from stream.specs import ModelSpec

ZEROS = "0" * 64


def spec(weights: Path, **fields: Any) -> ModelSpec:
    return ModelSpec.model_validate({"weights": weights, **fields})


def refusal(settings: ModelSpec, folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(settings, folder, folder / "cache")
    assert caught.value.exit_code == EXIT_CONFIG
    return str(caught.value)


@pytest.fixture
def copy(artefact: Artefact, tmp_path: Path) -> Path:
    """An artefact that a test may spoil."""
    return Path(shutil.copytree(artefact.folder, tmp_path / "copy"))


def test_an_artefact_says_what_it_is_and_what_it_was_made_from(
    artefact: Artefact, weights: Path
) -> None:
    manifest = artefact.manifest
    assert manifest.name == "yolov8n-seg"
    assert manifest.task == "segment"
    assert manifest.labels[:2] == ("person", "bicycle")
    assert len(manifest.labels) == 80
    assert (manifest.precision, manifest.storage, manifest.stride) == ("f32", "f32", 32)
    assert manifest.source_sha256 == digest(weights)
    assert set(manifest.weights) == {OPENVINO, "model.bin", TORCH}
    assert manifest.licence.startswith("AGPL-3.0")
    assert "openvino" in manifest.made_with
    assert manifest.calibration is None


def test_no_file_of_an_artefact_is_a_pickle(artefact: Artefact) -> None:
    suffixes = {path.suffix for path in artefact.folder.iterdir()}
    assert suffixes == {".json", ".xml", ".bin", ".safetensors"}


def test_weights_are_made_into_an_artefact_once(
    artefact: Artefact, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def copied(_: Build, folder: Path) -> Artefact:
        made.append(folder)
        return read(Path(shutil.copytree(artefact.folder, folder)))

    monkeypatch.setattr(building, "build_artefact", copied)
    first = cached_artefact(Build(weights), tmp_path)
    assert cached_artefact(Build(weights), tmp_path) == first
    assert made == [first.folder]
    cached_artefact(Build(weights, "bf16"), tmp_path)
    assert len(made) == 2


def test_an_artefact_for_openvino_alone_fits_8_mb(
    reference: None, weights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    export(Build(weights, half=True, runtime="openvino", name="yard"), folder)
    small = read(folder)
    assert small.manifest.name == "yard"
    assert (small.manifest.precision, small.manifest.storage) == ("f32", "f16")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8_000_000
    assert "built without model.safetensors" in refusal(spec(folder, backend="torch"), tmp_path)


def test_weights_that_are_not_the_pinned_ones_are_refused(weights: Path, tmp_path: Path) -> None:
    message = refusal(spec(weights, sha256=ZEROS), tmp_path)
    assert f"sha256 {digest(weights)} ≠ pinned {ZEROS}" in message


def test_an_artefact_that_is_not_the_pinned_one_is_refused(
    artefact: Artefact, tmp_path: Path
) -> None:
    message = refusal(spec(artefact.folder, sha256=ZEROS), tmp_path)
    assert f"sha256 {artefact.manifest.sha256} ≠ pinned {ZEROS}" in message
    assert read(artefact.folder, artefact.manifest.sha256) == artefact


def test_changed_weights_in_an_artefact_are_refused(copy: Path, tmp_path: Path) -> None:
    with (copy / "model.bin").open("r+b") as file:
        file.write(b"spoilt")
    message = refusal(spec(copy), tmp_path)
    assert "model.bin: sha256" in message
    assert "≠ manifest" in message


def test_an_artefact_that_lost_a_file_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / OPENVINO).unlink()
    assert "the manifest names it, but it is not there" in refusal(spec(copy), tmp_path)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('"format": 1', '"format": 2', "format 2, allowed: 1"),
        ('"task": "segment"', '"task": "detect"', "task detect, allowed: segment"),
        ('"stride": 32', '"stride": "wide"', "Expected `int`, got `str` - at `$.stride`"),
        ("{", "[", MANIFEST),
        ('"model.bin"', '"../model.bin"', "the manifest names it, but it is not there"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(
    copy: Path, tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    manifest = copy / MANIFEST
    manifest.write_text(manifest.read_text().replace(was, becomes, 1))
    assert says in refusal(spec(copy), tmp_path)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert f"not a model artefact: it has no {MANIFEST}" in refusal(spec(tmp_path), tmp_path)


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(spec(tmp_path / "absent.pt"), tmp_path)


def test_a_file_that_is_no_weights_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"onnx")
    assert "allowed: a model artefact" in refusal(spec(file), tmp_path)


def test_another_precision_than_the_artefact_has_is_refused(
    artefact: Artefact, tmp_path: Path
) -> None:
    message = refusal(spec(artefact.folder, precision="bf16"), tmp_path)
    assert "model.precision: bf16, but" in message
    assert "was made for f32" in message


def test_a_label_that_the_network_does_not_know_is_refused(
    artefact: Artefact, tmp_path: Path
) -> None:
    message = refusal(spec(artefact.folder, labels=["person", "bottel"]), tmp_path)
    assert "model.labels[1]" in message
    assert "did you mean bottle?" in message


def test_a_clip_to_calibrate_on_is_refused_for_other_precisions(
    weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="only int8 is calibrated, given precision bf16"):
        build_artefact(Build(weights, "bf16", calibrate=weights), tmp_path / "made")


def test_int8_without_a_clip_to_calibrate_on_is_refused(weights: Path, tmp_path: Path) -> None:
    assert "--calibrate CLIP" in refusal(spec(weights, precision="int8"), tmp_path)
    with pytest.raises(ModelError, match="--calibrate CLIP"):
        build_artefact(Build(weights, "int8"), tmp_path / "int8")


def test_an_existing_folder_is_never_overwritten(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="exists already"):
        build_artefact(Build(weights), tmp_path)


def test_what_is_missing_names_the_extra_that_brings_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "find_spec", lambda name: None if name == "torch" else True)
    message = refusal(spec(weights), tmp_path)
    assert "needs torch: pip install maskstream[segment,openvino]" in message


def test_detection_weights_are_refused_with_their_task(reference: None, tmp_path: Path) -> None:
    import torch
    from ultralytics.nn.tasks import DetectionModel

    file = tmp_path / "detect.pt"
    torch.save({"model": DetectionModel("yolov8n.yaml", verbose=False)}, file)
    message = refusal(spec(file), tmp_path)
    assert f"{file}: task detect (head Detect), allowed: segment" in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    "content", [b"", b"not a zip file", pickle.dumps({"model": print}, protocol=2)]
)
def test_weights_that_cannot_be_read_are_refused(
    reference: None, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "broken.pt"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not an ultralytics checkpoint"):
        export(Build(file), tmp_path / "out")


def test_a_pickle_that_would_run_code_is_not_run(reference: None, tmp_path: Path) -> None:
    import torch

    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "harm",))

    file = tmp_path / "harmful.pt"
    torch.save({"model": Harmful()}, file)
    with pytest.raises(ModelError, match="not an ultralytics checkpoint"):
        export(Build(file), tmp_path / "out")
    assert not (tmp_path / "harm").exists()


def test_a_precision_that_the_cpu_lacks_is_refused_and_f32_is_named() -> None:
    with pytest.raises(ModelError, match=r"bf16, but this CPU \(Old\) .* use f32"):
        precisions("bf16", ["FP32", "INT8"], "Old")
    with pytest.raises(ModelError, match=r"fp16, but this CPU \(Old\) .* use f32"):
        precisions("fp16", ["FP32", "BF16"], "Old")


def test_a_result_names_what_int8_leaves_in_float() -> None:
    assert precisions("int8", ["FP32", "INT8"], "Old") == ("int8+f32", "f32")
    assert precisions("int8", ["FP32", "INT8", "BF16"], "New") == ("int8+bf16", "bf16")
    assert precisions("fp16", ["FP32", "FP16"], "New") == ("fp16", "f16")


def test_what_is_built_may_be_read_by_others_than_its_owner(artefact: Artefact) -> None:
    read_by_all = 0o444
    modes = {each.name: each.stat().st_mode & read_by_all for each in artefact.folder.iterdir()}
    assert set(modes.values()) == {read_by_all}, modes
