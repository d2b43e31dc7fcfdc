"""Cameras that stand somewhere else than in the configuration: in a list of their own, on Kafka."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stream.config.checks import camera_faults, watching_faults
from stream.config.evidence import evidence_faults
from stream.config.faults import Fault, Origin
from stream.config.faults import Path as Place
from stream.config.meant import as_meant
from stream.config.redact import quoted, redact, shown
from stream.config.settings import Settings
from stream.config.urls import camera_url_fault
from stream.config.words import model_faults
from stream.config.yaml_lines import Document, read_yaml
from stream.specs import CameraSpec, Spec, file_path

_FOLDER = "a file needs allowed.folder, as the configuration itself does not name it"


class _List(Spec):
    cameras: tuple[CameraSpec, ...]


def read_cameras(source: bytes, path: Path, settings: Settings) -> tuple[CameraSpec, ...]:
    """The cameras of a file ``{cameras: [...]}``; its paths are relative to its folder.

    Raises `ConfigError` with a line for each fault, which names the camera.
    """
    document = read_yaml(source)
    _require(document, path, "cameras: [...]", {"cameras"})
    return _checked(document, path, settings, ())


def read_camera(source: bytes, path: Path, settings: Settings) -> CameraSpec:
    """The one camera of a file, a mapping of its fields. Raises as `read_cameras` does."""
    document = read_yaml(source)
    _require(document, path, "{id: ..., url: ...}")
    one: Place = ("cameras", 0)
    inner = Document(
        {"cameras": [document.data]},
        {(*one, *place): line for place, line in document.lines.items()},
        [Fault((*one, *each.path), each.text, each.line) for each in document.faults],
        {(*one, *place) for place in document.holes},
    )
    (camera,) = _checked(inner, path, settings, one)
    return camera


def registered_url_fault(url: str, settings: Settings) -> str | None:
    """Why a camera of the registry may not have ``url``: files are those under ``allowed.folder``
    and those that the configuration names itself.
    """
    if (fault := camera_url_fault(url, settings.allowed, Path.cwd())) is not None:
        return fault
    is_named = any(camera.url == url for camera in settings.cameras)
    if file_path(url) is not None and settings.allowed.folder is None and not is_named:
        return _FOLDER
    return None


def check_watched(settings: Settings, cameras: Mapping[str, CameraSpec]) -> None:
    """Raise `ConfigError` where zones or rules name what is not among ``cameras``, if the
    configuration has no list of its own.
    """
    if settings.cameras:
        return
    data = settings.model_dump(mode="json")
    data["cameras"] = [camera.model_dump(mode="json") for camera in cameras.values()]
    if faults := list(watching_faults({**data, "transport": "memory://"})):
        raise settings.origin.error(faults)


def _require(document: Document, path: Path, allowed: str, keys: Set[str] | None = None) -> None:
    """Raise `ConfigError` unless a document is a mapping, of ``keys`` where these are given."""
    data = document.data
    if isinstance(data, dict):
        if keys is None or data.keys() == keys:
            return
        given = ", ".join(quoted(redact(key)) for key in data)
    else:
        given = shown(data)
    fault = Fault((), f"given {given}; allowed: {allowed}")
    raise Origin(str(path), document.lines).error(document.faults or [fault])


def _checked(
    document: Document, path: Path, settings: Settings, shorter: Place
) -> tuple[CameraSpec, ...]:
    """The cameras of a document; faults are told of without the beginning ``shorter``."""
    folder = path.absolute().parent
    faults, cameras = list(document.faults), None
    try:
        cameras = _List.model_validate(document.data, context=folder).cameras
    except ValidationError as error:
        faults += model_faults(error, document.data)
    meant = as_meant(document)
    assert isinstance(meant.data, dict)
    shared = {"allowed", "credentials", "evidence", "kafka"}
    data = {**meant.data, **settings.model_dump(mode="json", include=shared)}
    faults += [*camera_faults(data, folder), *evidence_faults(data)]
    faults += _strangers(cameras or (), settings)
    told = [each for each in faults if each in document.faults or not meant.in_hole(each.path)]
    if cameras is None or told:
        lines = {place[len(shorter) :]: line for place, line in document.lines.items()}
        raise Origin(str(path), lines).error(_named(told, document.data, len(shorter)))
    return cameras


def _strangers(cameras: Iterable[CameraSpec], settings: Settings) -> Iterator[Fault]:
    for index, camera in enumerate(cameras):
        if registered_url_fault(camera.url, settings) == _FOLDER:
            yield Fault(("cameras", index, "url"), f"given {shown(camera.url)}; {_FOLDER}")


def _named(faults: Iterable[Fault], data: Any, without: int) -> Iterator[Fault]:
    """The faults with the camera that each is of."""
    for each in faults:
        name = None
        if len(each.path) > 1:
            camera = data["cameras"][each.path[1]]
            name = camera.get("id") if isinstance(camera, dict) else None
        word = f"camera {shown(name)[1:-1]}: " if isinstance(name, str) else ""
        yield replace(each, path=each.path[without:], text=word + each.text)
