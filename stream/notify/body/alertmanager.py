"""What Prometheus' Alertmanager takes, and what it sends to webhooks itself.

An alert is told apart by its labels there, so its id is one of them: each episode is an alert of
its own. Texts are short, and tracks and masks stay out: Alertmanager shows labels and annotations
to people, and both are text.
"""

import json

import msgspec

from stream.codec import rfc3339
from stream.notify.body.size import checked
from stream.types import Alert

Texts = dict[str, str]
VERSION = "4"
"""Of what Alertmanager sends to webhooks."""
NO_END = "0001-01-01T00:00:00Z"
"""How Alertmanager writes that a firing alert has no end: Go's zero time."""
FAR_END = "9999-01-01T00:00:00Z"
"""The end of an alert that goes on. Without one, Alertmanager would take it for over after
``resolve_timeout``, as it expects to be told again and again."""
CLOCKS_APART_US = 60_000_000
"""How far Alertmanager's clock may be behind ours. An end that lies in its future does not
replace `FAR_END`, so the alert would never be over (tried with 0.25): an end is told so much
early."""
TEXT_CHARS = 500
"""The longest annotation in words."""
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def posted(alert: Alert) -> bytes:
    """What ``POST /api/v2/alerts`` of Alertmanager takes: a list, here of one alert.

    Raises `TooLargeError`.
    """
    early_us = max(alert.opened_us, alert.time_us - CLOCKS_APART_US)
    told = {
        "labels": labels_of(alert),
        "annotations": _annotations(alert),
        "startsAt": rfc3339(alert.opened_us),
        "endsAt": rfc3339(early_us) if alert.state == "resolved" else FAR_END,
    }
    return checked(alert, msgspec.json.encode([told]))


def notified(alert: Alert, receiver: str) -> bytes:
    """What Alertmanager's ``webhook_configs`` send: here one alert, in a group of its own.

    Raises `TooLargeError`.
    """
    status = "resolved" if alert.state == "resolved" else "firing"
    labels, annotations = labels_of(alert), _annotations(alert)
    told = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": rfc3339(alert.opened_us),
        "endsAt": rfc3339(alert.time_us) if status == "resolved" else NO_END,
        "generatorURL": "",
        "fingerprint": fingerprint(labels),
    }
    group = {
        "receiver": receiver,
        "status": status,
        "alerts": [told],
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "version": VERSION,
        "groupKey": _group_key(labels),
        "truncatedAlerts": 0,
    }
    return checked(alert, msgspec.json.encode(group))


def labels_of(alert: Alert) -> Texts:
    """What Alertmanager tells the alert by, routes, groups and silences it by; sorted."""
    labels = {
        "alert_id": alert.id,
        "alertname": alert.rule,
        "camera": alert.camera,
        "kind": alert.kind,
        "severity": alert.severity,
        "zone": alert.zone or "",
    }
    return {name: text for name, text in labels.items() if text}  # there, empty means absent


def fingerprint(labels: Texts) -> str:
    """Alertmanager's own for these labels: 64-bit FNV-1a over names and values, each ended by 255.

    As ``LabelSet.Fingerprint`` of github.com/prometheus/common/model computes it.
    """
    found = _FNV_OFFSET
    for pair in sorted(labels.items()):
        for byte in b"".join(text.encode() + b"\xff" for text in pair):
            found = (found ^ byte) * _FNV_PRIME & 0xFFFF_FFFF_FFFF_FFFF
    return f"{found:016x}"


def _annotations(alert: Alert) -> Texts:
    texts = {
        "summary": _short(alert.summary),
        "description": _short(alert.detail),
        "snapshot": alert.snapshot or "",
        "clip": alert.clip or "",
    }
    return {name: text for name, text in texts.items() if text}


def _short(text: str) -> str:
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - 1] + "…"


def _group_key(labels: Texts) -> str:
    """As Alertmanager writes that of a group under the route at the top."""
    inner = ", ".join(
        f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in labels.items()
    )
    return f"{{}}:{{{inner}}}"
