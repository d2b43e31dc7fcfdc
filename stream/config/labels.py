"""Labels are known once the model is: the check that a start makes then."""

from collections.abc import Iterator, Sequence

from stream.config.faults import Fault
from stream.config.redact import shown
from stream.config.settings import Settings
from stream.config.words import suggestion
from stream.rules import Contact, Health


def check_labels(settings: Settings, labels: Sequence[str], *, shadow: bool = False) -> None:
    """Raise `ConfigError` where the settings name a label that the model does not have, or, as it
    is to take the model's place one day, the ``shadow``.
    """
    faults = [
        Fault(path, f"{owner}unknown label {shown(name)}, {suggestion(name, list(labels))}")
        for path, owner, name in _named_labels(settings, shadow)
        if name not in labels
    ]
    if faults:
        raise settings.origin.error(faults)


def _named_labels(
    settings: Settings, shadow: bool
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Each place where a label stands, the words that name its owner, and the label."""
    key, model = ("shadow", settings.shadow) if shadow else ("model", settings.model)
    for index, label in enumerate(() if model is None else model.labels or ()):
        yield (key, "labels", index), "", label
    for index, camera in enumerate(settings.cameras):
        for nth, label in enumerate(camera.labels or ()):
            yield ("cameras", index, "labels", nth), f"camera {camera.id}: ", label
    if settings.evidence is not None:
        for index, label in enumerate(settings.evidence.blur):
            yield ("evidence", "blur", index), "", label
    for index, rule in enumerate(settings.rules):
        named = {} if isinstance(rule, Health) else {"labels": rule.labels or ()}
        if isinstance(rule, Contact):
            named["others"] = rule.others
        for key, labels in named.items():
            for nth, label in enumerate(labels):
                yield ("rules", index, key, nth), f"rule {rule.id}: ", label
