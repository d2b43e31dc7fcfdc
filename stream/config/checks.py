"""What one section cannot know of itself: names of each other, URLs, secrets.

The checks read the plain document and not the settings, so that they speak even where another
part of it is wrong; what is mistyped they pass over, as the model says it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from stream.config import faults
from stream.config.faults import Fault
from stream.config.plain import Entry, entries, listed, mapping, string
from stream.config.polygon import polygon_fault
from stream.config.redact import shown
from stream.config.secrets import signing_key
from stream.config.urls import camera_url_fault, endpoint_url_fault
from stream.config.words import owner, suggestion
from stream.errors import ConfigError
from stream.kafka_spec import KafkaSpec
from stream.specs import (
    AllowedSpec,
    Polygon,
    SecretSource,
    Spec,
    ZoneSpec,
    file_path,
    video_path,
)
from stream.types import Point

Names = Mapping[str, Mapping[str, Entry]]
"""The entries of each section by their ids."""
_SECTIONS = {"cameras": "camera", "zones": "zone", "rules": "rule", "endpoints": "endpoint"}
_S = TypeVar("_S", bound=Spec)
_polygon: TypeAdapter[tuple[Point, ...]] = TypeAdapter(Polygon)


def document_faults(data: Entry, folder: Path) -> Iterator[Fault]:
    """All that is wrong between the sections of a document. Secrets are left alone."""
    yield from _no_cameras(data)
    yield from camera_faults(data, folder)
    yield from watching_faults(data)
    yield from _endpoints(data)
    yield from _outputs(data, folder)
    yield from _pictures(data)
    if data.get("shadow") is not None and _is_embedded(data):
        text = "given a network; allowed on memory://: null, as it has no place beside the first"
        yield Fault(("shadow",), text)


def secret_faults(data: Entry, folder: Path, env: Mapping[str, str]) -> Iterator[Fault]:
    """The secrets that cannot be read, or are too weak."""
    for index, endpoint in entries(data, "endpoints"):
        for key in ("secret", "previous_secret"):
            source = _valid(SecretSource, endpoint.get(key), folder)
            if source is None:
                continue
            path = ("endpoints", index, key, "env" if source.env is not None else "file")
            try:
                signing_key(source, env)
            except ConfigError as error:
                yield Fault(path, owner(path, data) + str(error))


def camera_faults(data: Entry, folder: Path) -> Iterator[Fault]:
    """All that is wrong between the cameras of a document, its ``allowed`` and its ``kafka``."""
    yield from _repeated_ids(data)
    yield from _cameras(data, folder)
    yield from _partitions(data)


def watching_faults(data: Entry) -> Iterator[Fault]:
    """All that is wrong between zones or rules and the cameras that they name."""
    names = {section: _named(data, section) for section in _SECTIONS}
    yield from _zones(data, names)
    yield from _rules(data, names)


def _repeated_ids(data: Entry) -> Iterator[Fault]:
    for section, word in _SECTIONS.items():
        first: dict[str, int] = {}
        for index, entry in entries(data, section):
            name = string(entry, "id")
            if name in first:
                text = f"{word} {shown(name)} is there already as {section}[{first[name]}]"
                yield Fault((section, index, "id"), f"{text}; ids must differ")
            elif name is not None:
                first[name] = index


def _no_cameras(data: Entry) -> Iterator[Fault]:
    given = data.get("cameras")
    if _is_embedded(data) and (given is None or given == []):
        came = "missing" if "cameras" not in data else f"given {shown(given)}"
        yield Fault(("cameras",), f"{came}; allowed on memory://: at least 1 camera")


def _is_embedded(data: Entry) -> bool:
    return bool(data.get("transport", "memory://") == "memory://")


def _cameras(data: Entry, folder: Path) -> Iterator[Fault]:
    allowed = _valid(AllowedSpec, data.get("allowed"), folder) or AllowedSpec()
    for index, camera in entries(data, "cameras"):
        yield from _privacy(camera, index)
        if camera.get("credentials") is not None and data.get("credentials") is None:
            text = "no folder of credentials is named; set credentials: FOLDER"
            yield Fault(("cameras", index, "credentials"), text)
        url = string(camera, "url")
        if not url:
            continue
        fault = camera_url_fault(url, allowed, folder)
        if fault is not None:
            yield Fault(("cameras", index, "url"), f"given {shown(url)}; {fault}")
        elif file_path(url) is not None:
            if camera.get("credentials") is not None:
                text = "credentials are for cameras on the network; allowed here: null"
                yield Fault(("cameras", index, "credentials"), text)
        else:
            if camera.get("mode") == "archive":
                yield Fault(("cameras", index, "mode"), "archive is for files; allowed here: live")
            if camera.get("loop") is True:
                yield Fault(("cameras", index, "loop"), "loop is for files; allowed here: false")


def _privacy(camera: Entry, index: int) -> Iterator[Fault]:
    for nth, polygon in enumerate(listed(camera, "privacy")):
        try:
            fault = polygon_fault(_polygon.validate_python(polygon))
        except ValidationError:
            continue
        if fault is not None:
            yield Fault(("cameras", index, "privacy", nth), fault)


def _zones(data: Entry, names: Names) -> Iterator[Fault]:
    for index, zone in entries(data, "zones"):
        path = ("zones", index)
        yield from _unknown(data, names, (*path, "camera"), "cameras", zone.get("camera"))
        spec = _valid(ZoneSpec, zone)
        fault = polygon_fault(spec.polygon) if spec is not None else None
        if fault is not None:
            users = [rule for _, rule in entries(data, "rules") if rule.get("zone") == zone["id"]]
            rules = [name for rule in users if (name := string(rule, "id"))]
            used = f" (watched by rule {', '.join(rules)})" if rules else ""
            yield Fault((*path, "polygon"), f"{owner((*path, 'polygon'), data)}{fault}{used}")


def _rules(data: Entry, names: Names) -> Iterator[Fault]:
    for index, rule in entries(data, "rules"):
        path = ("rules", index)
        for key in ("camera", "zone"):
            yield from _unknown(data, names, (*path, key), f"{key}s", rule.get(key))
        for key, section in (("notify", "endpoints"), ("ignore", "zones")):
            for nth, name in enumerate(listed(rule, key)):
                yield from _unknown(data, names, (*path, key, nth), section, name)
        if rule.get("kind") != "health":  # that one may watch every camera, and counts no label
            yield from _watched(data, names, path, rule)


def _watched(data: Entry, names: Names, path: tuple[str, int], rule: Entry) -> Iterator[Fault]:
    """Whether the rule has one camera, and looks for what is kept of its picture."""
    word = owner((*path, "id"), data)
    zone = names["zones"].get(string(rule, "zone") or "", {})
    own, of_zone = string(rule, "camera"), string(zone, "camera")
    if rule.get("camera") is None and rule.get("zone") is None:
        yield Fault(path, f"{word}names neither a zone nor a camera; allowed: one of them")
    if own is not None and of_zone is not None and own != of_zone:
        text = f"given {shown(own)}; allowed: {of_zone}, the camera of its zone"
        yield Fault((*path, "camera"), word + text)
    yield from _ignored(names, path, rule, own or of_zone)
    camera = names["cameras"].get(own or of_zone or "", {})
    kept = camera.get("labels") or mapping(data, "model").get("labels")
    labels = [name for name in kept if isinstance(name, str)] if isinstance(kept, list) else None
    for key in ("labels", "others"):
        for nth, label in enumerate(listed(rule, key)):
            if isinstance(label, str) and labels is not None and label not in labels:
                text = f"unknown label {shown(label)}: it is not kept; {suggestion(label, labels)}"
                yield Fault((*path, key, nth), word + text)


def _ignored(
    names: Names, path: tuple[str, int], rule: Entry, camera: str | None
) -> Iterator[Fault]:
    """Zones that are cut out must lie in the same picture, and leave something."""
    word = f"rule {rule.get('id')}: "
    for nth, name in enumerate(listed(rule, "ignore")):
        if isinstance(name, str) and name == rule.get("zone"):
            text = f"{word}given {shown(name)}, the zone that it watches; allowed: others"
            yield Fault((*path, "ignore", nth), text)
        zone = names["zones"].get(name, {}) if isinstance(name, str) else {}
        other = string(zone, "camera")
        if None not in {camera, other} and camera != other:
            text = f"{word}given {shown(name)}, a zone of camera {other}; "
            yield Fault((*path, "ignore", nth), f"{text}allowed: zones of {camera}")


def _endpoints(data: Entry) -> Iterator[Fault]:
    for index, endpoint in entries(data, "endpoints"):
        url = string(endpoint, "url")
        fault = endpoint_url_fault(url, endpoint.get("allow_private") is True) if url else None
        if fault is not None:
            path = ("endpoints", index, "url")
            yield Fault(path, f"{owner(path, data)}given {shown(url)}; allowed: {fault}")


def _outputs(data: Entry, folder: Path) -> Iterator[Fault]:
    """Outputs are written over: never over what is read, or over each other."""
    read = {"the model's weights": string(mapping(data, "model"), "weights")}
    for _, camera in entries(data, "cameras"):
        url = string(camera, "url")
        path = file_path(url) if url else None
        read[f"the file of camera {shown(camera.get('id'))}"] = str(path) if path else None
    taken = {_place(folder, path): what for what, path in read.items() if path}
    for key, output in _written(data):
        place = _place(folder, output)
        if place in taken:
            yield Fault(("outputs", key), f"would write over {taken[place]}; allowed: another file")
        elif place is not None:
            taken[place] = f"outputs.{key}"


def _written(data: Entry) -> Iterator[tuple[str, str]]:
    """Each file that a run writes, with the key that names it: a video for every camera."""
    outputs = mapping(data, "outputs")
    if results := string(outputs, "results"):
        yield "results", results
    video = string(outputs, "video")
    cameras = [name for _, camera in entries(data, "cameras") if (name := string(camera, "id"))]
    if video and Path(video).name:
        for camera in dict.fromkeys(cameras):
            yield "video", str(video_path(Path(video), camera, cameras))


def _pictures(data: Entry) -> Iterator[Fault]:
    if mapping(data, "pictures").get("encoding") == "raw" and not _is_embedded(data):
        yield Fault(("pictures", "encoding"), "raw is for memory://; allowed here: auto, jpeg")


def _partitions(data: Entry) -> Iterator[Fault]:
    spec = _valid(KafkaSpec, mapping(data, "kafka"))
    for index, camera in entries(data, "cameras"):
        given = camera.get("partition")
        if spec is not None and isinstance(given, int) and given >= spec.partitions:
            allowed = f"0 to {spec.partitions - 1}, as kafka.partitions is {spec.partitions}"
            yield Fault(
                ("cameras", index, "partition"), f"given {shown(given)}; allowed: {allowed}"
            )


def _place(folder: Path, path: str) -> Path | None:
    return None if "\0" in path else (folder / path).resolve()


def _unknown(
    data: Entry, names: Names, path: faults.Path, section: str, name: object
) -> Iterator[Fault]:
    known = names[section]
    is_elsewhere = section == "cameras" and not data.get("cameras") and not _is_embedded(data)
    if isinstance(name, str) and name not in known and not is_elsewhere:
        text = f"unknown {_SECTIONS[section]} {shown(name)}, {suggestion(name, list(known))}"
        yield Fault(path, owner(path, data) + text)


def _named(data: Entry, section: str) -> dict[str, Entry]:
    return {name: entry for _, entry in entries(data, section) if (name := string(entry, "id"))}


def _valid(kind: type[_S], value: object, folder: Path | None = None) -> _S | None:
    try:
        return kind.model_validate(value, context=folder)
    except ValidationError:
        return None
