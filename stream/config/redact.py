"""What may be shown of a value that came from outside."""

import json
import math
import re

LONGEST = 80
HIDDEN = "***"
SECRET_KEY = re.compile(r"secret|passw|pwd|token|credential|api_?key|auth", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(
    r"((?:^|[?&;/_,\s])(?:user(?:name)?|pass(?:w(?:or)?d)?|pwd|token|secret|(?:api_?)?key|auth)=)"
    r"[^&;/\s]*",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """``text`` without a URL's ``user:password@`` and without the values of secret parameters.

    All between ``://`` (or the start) and the last ``@`` goes, since a password may itself hold
    ``/`` and ``@``.
    """
    head, at, tail = text.rpartition("@")
    if at:
        scheme, slashes, _ = head.partition("://")
        text = f"{scheme}{slashes}{HIDDEN}@{tail}" if slashes else f"{HIDDEN}@{tail}"
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", text)


def has_secret(url: str) -> bool:
    """Whether something in ``url`` would be hidden: ``user:password@``, ``?password=``, …"""
    return redact(url) != url


def shown(value: object) -> str:
    """``value`` as an error message shows it: short, on one line, redacted."""
    if isinstance(value, str):
        return quoted(redact(value))
    if isinstance(value, list | tuple):
        return _listed(value)
    return "a mapping" if isinstance(value, dict) else _plain(value)


def _plain(value: object) -> str:
    """A number as YAML writes it, true, false or null."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _cut(json.dumps(value))


def quoted(text: str) -> str:
    """``text`` in quotes, cut short, with what a terminal would not print as an escape."""
    short = _cut(text)
    return json.dumps(short, ensure_ascii=not short.isprintable())


def _listed(values: list[object] | tuple[object, ...]) -> str:
    if len(values) <= 4 and all(isinstance(value, int | float) for value in values):
        return f"[{', '.join(shown(value) for value in values)}]"
    return f"a list of {len(values)}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
