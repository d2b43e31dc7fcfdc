"""The rules of dashboards/rules, as Prometheus reads them, and copies for a test's own time."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "dashboards" / "rules"
ALARMS = RULES / "alarms.yaml"
_COMPARISON = re.compile(r"\s(>=|<=|==|!=|>|<)\s+[\d.]+\s*$")
_DURATION = re.compile(r"(?<=\[)(\d+)([mh])(?=\])|(?<=offset )(\d+)([mh])\b")
_SECONDS = {"m": 60, "h": 3600}


def recordings() -> Sequence[dict[str, Any]]:
    return [rule for rule in _rules() if "record" in rule]


def alarms() -> Sequence[dict[str, Any]]:
    return [rule for rule in _rules() if "alert" in rule]


def groups() -> Mapping[str, Sequence[dict[str, Any]]]:
    """The rules of each group, in an order in which each is asked after what it asks for."""
    paths = sorted(RULES.glob("*.yaml"), key=lambda path: path == ALARMS)
    read = [yaml.safe_load(path.read_text()) for path in paths]
    return {group["name"]: group["rules"] for each in read for group in each["groups"]}


def _rules() -> Sequence[dict[str, Any]]:
    return [rule for rules in groups().values() for rule in rules]


def below(alarm: dict[str, Any]) -> str:
    """What an alarm compares, without the comparison that it ends with."""
    bare, count = _COMPARISON.subn("", alarm["expr"])
    assert count == 1, f"{alarm['alert']} ends with no comparison"
    return str(bare)


def hurried(expr: str, minute_s: float) -> str:
    """A query in which a minute lasts ``minute_s``: its ranges and offsets are so much shorter."""

    def shorter(found: re.Match[str]) -> str:
        count, unit = found[1] or found[3], found[2] or found[4]
        return f"{int(count) * _SECONDS[unit] / 60 * minute_s * 1000:.0f}ms"

    return _DURATION.sub(shorter, expr)


def hurried_copies(folder: Path, minute_s: float, pause_s: float) -> Sequence[Path]:
    """Copies of all rules in which a minute lasts ``minute_s``, evaluated every ``pause_s``."""
    copies = []
    for path in sorted(RULES.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        for group in document["groups"]:
            group["interval"] = f"{pause_s * 1000:.0f}ms"
            for rule in group["rules"]:
                rule["expr"] = hurried(rule["expr"], minute_s)
                if "for" in rule:
                    rule["for"] = hurried(f"[{rule['for']}]", minute_s).strip("[]")
        copies.append(folder / path.name)
        copies[-1].write_text(yaml.safe_dump(document, width=10_000))
    return copies
