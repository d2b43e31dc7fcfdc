"""``maskstream cameras``: the list of cameras on Kafka, while everything runs."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from connectors import open_kafka
from connectors.clock import SteadyClock
from stream import codec
from stream.cli.columns import print_columns
from stream.cli.kafka_only import load_for_kafka
from stream.config import Settings, read_camera, read_cameras, redact
from stream.config.words import suggestion
from stream.config.yaml_lines import MOST_BYTES
from stream.errors import ConfigError, RecordError, UnsupportedVersionError
from stream.registry import Change, changes
from stream.specs import CameraSpec
from stream.types import CameraStatus

There = Mapping[str, CameraSpec]
Wanted = Callable[[There], Iterable[CameraSpec]]
"""The list that is to be, made of the one that is there."""


def apply(config: Path, cameras: Path | None, dry_run: bool) -> None:
    """Make the registry hold the list of ``cameras``, else of ``config``; print what changes.

    Raises `ConfigError` for a bad list, with nothing changed.
    """
    settings = _settings(config)
    if cameras is not None:
        wanted = read_cameras(_source(cameras), cameras, settings)
    elif settings.cameras:
        wanted = settings.cameras
    else:
        raise ConfigError(f"{config}: cameras: has none; name a file: {{cameras: [...]}}")
    _change(settings, lambda _: wanted, dry_run)


def add(config: Path, camera: Path, dry_run: bool) -> None:
    """Add one camera. Raises `ConfigError` where another of its id is there."""
    settings = _settings(config)
    is_stdin = str(camera) == "-"
    name = Path("stdin") if is_stdin else camera
    source = sys.stdin.buffer.read(MOST_BYTES + 1) if is_stdin else _source(camera)
    spec = read_camera(source, name, settings)

    def wanted(there: There) -> list[CameraSpec]:
        known = there.get(spec.id)
        if known is not None and _without_place(known) != _without_place(spec):
            raise ConfigError(
                f"{name}: id: given {spec.id}, which is there already as another camera; allowed: "
                "an id of its own (cameras apply changes cameras)"
            )
        return [*(each for each in there.values() if each.id != spec.id), known or spec]

    _change(settings, wanted, dry_run)


def remove(config: Path, camera: str, dry_run: bool) -> None:
    """Remove one camera. Raises `ConfigError` where it is not there."""

    def wanted(there: There) -> list[CameraSpec]:
        if camera not in there:
            raise ConfigError(f"unknown camera {camera}, {suggestion(camera, list(there))}")
        return [each for each in there.values() if each.id != camera]

    _change(_settings(config), wanted, dry_run)


def print_list(config: Path) -> None:
    """Print a line for each camera: id, partition, mode, URL, and what else was chosen."""
    there = asyncio.run(_there(_settings(config)))
    print_columns(
        (each.id, str(each.partition), each.mode, redact(each.url), _chosen(each))
        for each in sorted(there.values(), key=lambda each: each.id)
    )
    print(f"cameras: {len(there)}", file=sys.stderr)


def print_status(config: Path) -> None:
    """Print a line for each camera of the registry: id, state, since when, reason."""
    there, told = asyncio.run(_status(_settings(config)))
    print_columns(
        (name, each.state, codec.rfc3339(each.began_us), each.reason)
        if (each := told.get(name)) is not None
        else (name, "unknown", "-", "no ingest has told of it")
        for name in sorted(there)
    )
    print(f"cameras: {len(there)}", file=sys.stderr)


def _change(settings: Settings, wanted: Wanted, dry_run: bool) -> None:
    done = asyncio.run(_changed(settings, wanted, dry_run))
    print("\n".join(map(_line, done)) or "all cameras are as they should be")


async def _changed(settings: Settings, wanted: Wanted, dry_run: bool) -> list[Change]:
    transport = open_kafka(settings)
    await transport.check("cameras")
    async with transport.registry() as registry:
        there = registry.cameras
        due = changes(there, wanted(there), settings.kafka.partitions)
        if due and not dry_run:
            await transport.register(due, SteadyClock())
    return due


async def _there(settings: Settings) -> There:
    transport = open_kafka(settings)
    await transport.check("audit")
    async with transport.registry() as registry:
        return registry.cameras


async def _status(settings: Settings) -> tuple[There, dict[str, CameraStatus]]:
    there = await _there(settings)
    told = {}
    async for record in open_kafka(settings).whole("camera-status"):
        try:
            status = codec.decode(record)
        except (RecordError, UnsupportedVersionError) as error:
            print(f"camera-status: {record.key}: {error}", file=sys.stderr)
            continue
        if isinstance(status, CameraStatus):
            told[status.camera] = status
    return there, told


def _settings(config: Path) -> Settings:
    return load_for_kafka(
        config, "the cameras are those of the configuration, which run reads again when it changes"
    )


def _source(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _without_place(camera: CameraSpec) -> CameraSpec:
    return camera.model_copy(update={"partition": None})


def _line(change: Change) -> str:
    """For people: + what is added, ~ what is changed, - what is removed."""
    before, after = change.before, change.after
    if after is None:
        return f"- {change.camera.id}"
    if before is None:
        return f"+ {after.id}: {redact(after.url)}, partition {after.partition}"
    old, new = (each.model_dump(mode="json") for each in (before, after))
    differing = (key for key in new if old[key] != new[key])
    told = (f"{key}: {_shown(old[key])} -> {_shown(new[key])}" for key in differing)
    return f"~ {after.id}: {', '.join(told)}"


def _chosen(camera: CameraSpec) -> str:
    told = camera.model_dump(mode="json", exclude_defaults=True)
    named = ("id", "url", "mode", "partition")
    return ", ".join(f"{key}: {_shown(value)}" for key, value in told.items() if key not in named)


def _shown(value: object) -> str:
    return redact(value) if isinstance(value, str) else json.dumps(value)
