"""What ``evidence`` and the rules' clips ask of other sections. As in `stream.config.checks`, the
plain document is read, and what is mistyped is passed over.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from stream.config.faults import Fault
from stream.config.plain import Entry, entries, listed, mapping
from stream.config.redact import shown
from stream.config.secrets import password
from stream.config.words import owner, suggestion
from stream.errors import ConfigError
from stream.specs import SecretSource


def evidence_faults(data: Entry) -> Iterator[Fault]:
    """Labels that could not be blurred as they are not looked for, and clips that cannot come."""
    yield from _unseen(data, ("model",), mapping(data, "model"))
    for index, camera in entries(data, "cameras"):
        yield from _unseen(data, ("cameras", index), camera)
    for index, rule in entries(data, "rules"):
        path = ("rules", index, "clip")
        if rule.get("clip") is None:
            continue
        if rule.get("kind") == "health":
            text = "an alert on a camera's health shows no frame; allowed here: null"
            yield Fault(path, owner(path, data) + text)
        elif data.get("evidence") is None:
            text = "clips are stored as evidence; set evidence: {store: FOLDER}"
            yield Fault(path, owner(path, data) + text)
        elif not rule.get("notify"):
            text = "clips are of alerts that an endpoint is told of; name one in notify"
            yield Fault(path, owner(path, data) + text)


def evidence_secret_faults(data: Entry, folder: Path, env: Mapping[str, str]) -> Iterator[Fault]:
    """The secrets of S3 that cannot be read."""
    s3 = mapping(mapping(data, "evidence"), "s3")
    for key in ("key", "secret"):
        try:
            password(SecretSource.model_validate(s3.get(key), context=folder), env)
        except ValidationError:
            continue
        except ConfigError as error:
            yield Fault(("evidence", "s3", key), str(error))


def _unseen(data: Entry, path: tuple[str | int, ...], section: Entry) -> Iterator[Fault]:
    """Who is not looked for has no mask, and would be shown as he is."""
    kept = section.get("labels")
    if not isinstance(kept, list):
        return
    for label in listed(mapping(data, "evidence"), "blur"):
        if isinstance(label, str) and label not in kept:
            labels = [each for each in kept if isinstance(each, str)]
            text = f"lacks {shown(label)}, which evidence.blur blurs: what is not kept has no mask"
            yield Fault((*path, "labels"), f"{text}; {suggestion(label, labels)}")
