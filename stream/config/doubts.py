"""What in a configuration is allowed, and yet may not do what whoever wrote it expects."""

from collections.abc import Iterator, Sequence

from stream.config.faults import Fault
from stream.config.settings import Settings
from stream.rules import Health
from stream.specs import CameraSpec, file_path


def doubts(settings: Settings) -> list[str]:
    """A line for each doubt, with its place, in the order of the file; empty where there is none.

    Alerts that no endpoint is told of, endpoints that are told of none, and rules on a camera's
    health that never hold.
    """
    return settings.origin.told([*_untold(settings), *_idle(settings), *_unheard(settings)])


def _untold(settings: Settings) -> Iterator[Fault]:
    where = "are on the topic alerts" if settings.on_kafka else "show on the page and in the video"
    for index, rule in enumerate(settings.rules):
        if not rule.notify:
            text = f"rule {rule.id}: no notify: its alerts {where} only, no endpoint is told"
            yield Fault(("rules", index), text)


def _idle(settings: Settings) -> Iterator[Fault]:
    named = {name for rule in settings.rules for name in rule.notify}
    for index, endpoint in enumerate(settings.endpoints):
        if endpoint.id not in named:
            text = f"endpoint {endpoint.id}: no rule names it in notify: it is told nothing"
            yield Fault(("endpoints", index), text)


def _unheard(settings: Settings) -> Iterator[Fault]:
    """Of an archive no health is told (`stream.ingest`), and no file says its own time."""
    for index, rule in enumerate(settings.rules):
        watched = _watched(settings, rule) if isinstance(rule, Health) else ()
        if not isinstance(rule, Health) or not watched:
            continue
        who = f"camera {rule.camera} is" if rule.camera else "all cameras are"
        if all(camera.mode == "archive" for camera in watched):
            text = f"{who} in mode archive, of which no health is told: it never opens an alert"
            yield Fault(("rules", index), f"rule {rule.id}: {text}")
        elif "skewed" in rule.conditions and all(
            file_path(camera.url) is not None for camera in watched
        ):
            place = ("rules", index, "conditions", rule.conditions.index("skewed"))
            text = f"{who} played from a file, which has no clock: skewed never holds"
            yield Fault(place, f"rule {rule.id}: {text}")


def _watched(settings: Settings, rule: Health) -> Sequence[CameraSpec]:
    """The cameras of a health rule, as far as they are known: on Kafka others may come."""
    if rule.camera is None:
        return () if settings.on_kafka else settings.cameras
    return [camera for camera in settings.cameras if camera.id == rule.camera]
