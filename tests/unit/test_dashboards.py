"""Dashboards and alarms as they are committed: up to date, whole, and readable by everybody."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import RUNBOOK
from dashboards.look import HEALTH, Levels
from dashboards.written import FOLDER, written
from stream.evidence import CLIPS
from stream.metrics import Metrics
from tests.support.rules import ALARMS, RULES, alarms, recordings

ROOT = Path(__file__).parents[2]
NAMES = sorted(written())
CURIOUS: Mapping[str, str] = {}
"""Metrics that neither a panel nor a rule asks for, each with the reason."""


@cache
def boards() -> Mapping[str, Any]:
    return {name: json.loads(text) for name, text in written().items()}


def panels() -> Iterator[tuple[str, Any]]:
    """Each panel that shows something, and where it is."""
    for name, board in boards().items():
        for panel in board["panels"]:
            if panel["type"] != "row":
                yield f"{name}: {panel['title']}", panel


def test_the_committed_files_are_what_is_written() -> None:
    there = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert there == written(), "run `make dashboards`"


def test_grafanas_own_model_reads_a_dashboard_and_writes_it_again() -> None:
    register_default_plugins()
    for text in written().values():
        read = Dashboard.from_json(json.loads(text))
        assert JSONEncoder(indent=2, sort_keys=True).encode(read) + "\n" == text


def test_there_are_five_dashboards_that_lead_to_each_other() -> None:
    titles = [board["title"].removeprefix("maskstream / ") for board in boards().values()]
    assert titles == ["Overview", "Pipeline", "Cameras", "GPU and model", "Alerts"]
    for board in boards().values():
        (link,) = board["links"]
        assert link["includeVars"]
        assert link["keepTime"]
        assert set(link["tags"]) <= set(board["tags"])
        assert (board["time"]["from"], board["refresh"]) == ("now-1h", "30s")


def test_a_dashboard_chooses_by_datasource_namespace_pod_and_camera() -> None:
    for board in boards().values():
        chosen = {each["name"]: each for each in board["templating"]["list"]}
        assert {"datasource", "traces", "namespace", "pod", "camera", "runbook"} == chosen.keys()
        for name in ("namespace", "pod", "camera"):
            assert chosen[name]["allValue"] == ".*"


def test_panels_fill_rows_and_none_covers_another() -> None:
    for name, board in boards().items():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24, f"{name}: {panel['title']}"
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, f"{name}: {panel['title']}"
            taken |= cells


def test_a_panel_says_what_it_means_and_what_to_do() -> None:
    sections = {each.lower() for each in sections_of_the_runbook()}
    for place, panel in panels():
        found = re.fullmatch(r"(.+) \[Runbook\]\(\$\{runbook\}#(\w+)\)", panel["description"])
        assert found is not None, place
        assert found[2] in sections, place
        assert 20 <= len(found[1]) <= 300, place


def test_a_panel_has_a_unit_that_grafana_knows() -> None:
    known = {get_args(each)[0] for each in units.__annotations__.values()}
    for place, panel in panels():
        unit = panel["fieldConfig"]["defaults"]["unit"]
        assert unit in known or unit.startswith("suffix: "), f"{place}: {unit}"


def test_a_panel_of_latency_leads_to_traces() -> None:
    latencies = [each for _, each in panels() if "latency" in each["title"].lower()]
    assert latencies
    for panel in latencies:
        assert all(target["exemplar"] for target in panel["targets"])
        (link,) = panel["fieldConfig"]["defaults"]["links"]
        assert "${traces}" in link["url"]


def test_a_panel_has_a_number_of_its_own() -> None:
    for board in boards().values():
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(numbers) == len(set(numbers))


def test_answers_of_a_panel_are_kept_apart() -> None:
    for place, panel in panels():
        names = [target["refId"] for target in panel["targets"]]
        assert all(names), place
        assert len(names) == len(set(names)), place


def test_a_title_stands_once_on_a_dashboard() -> None:
    for board in boards().values():
        titles = [panel["title"] for panel in board["panels"]]
        assert len(titles) == len(set(titles))


def colors(panel: Mapping[str, Any]) -> set[str]:
    """Those that tell a state by themselves: of thresholds, and of words."""
    told = panel["fieldConfig"]["defaults"]
    found = {step["color"] for step in told["thresholds"]["steps"]}
    for mapping in told.get("mappings", ()):
        found |= {each["color"] for each in mapping["options"].values()}
    return found


DEFICIENCIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                   (0.004733, 0.691367, 0.303900)),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}  # fmt: skip
"""Matrices in linear RGB of Machado, Oliveira and Fernandes (2009), at severity 1."""
TOLD_APART = 15.0
"""CIE76: 2.3 is just seen side by side; a glance at a screen wants several times that."""


def lab(color: str, matrix: Any) -> Any:
    """A colour of sRGB, seen through a matrix, in CIELAB (D65)."""
    srgb = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    part = np.array(to_xyz) @ seen / np.array([0.9505, 1.0, 1.089])
    root = np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_colours_of_a_panel_are_told_apart_by_everybody(deficiency: str) -> None:
    matrix = DEFICIENCIES[deficiency]
    for place, panel in panels():
        for one, other in combinations(sorted(colors(panel)), 2):
            apart = float(np.linalg.norm(lab(one, matrix) - lab(other, matrix)))
            assert apart > TOLD_APART, f"{place}: {one} and {other} are {apart:.0f} apart"


def test_levels_rise() -> None:
    for place, panel in panels():
        values = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert values[0] is None, place
        assert all(low < high for low, high in pairwise(values[1:])), place


def test_words_of_health_are_those_that_the_rule_computes() -> None:
    (rule,) = (each for each in recordings() if each["record"].endswith("camera_health:code"))
    states = dict(re.findall(r'state="(\w+)"} \* (\d)', rule["expr"])) | {"live": "1"}
    assert {word: str(code) for code, (word, _) in HEALTH.items()} == {
        **states, "live, but ill": "2",
    }  # fmt: skip
    assert Levels(1, 2).steps()[-1].value == 2


def asked() -> str:
    """Every query of every panel and rule, in one text."""
    targets = [target["expr"] for _, panel in panels() for target in panel["targets"]]
    return "\n".join([*targets, *(rule["expr"] for rule in (*recordings(), *alarms()))])


def test_every_metric_is_shown_or_has_a_reason_not_to_be() -> None:
    names = {each.name for each in Metrics().declared}
    shown = set(re.findall(r"\bmaskstream_[a-z_]+", asked()))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} | shown
    assert names - bare == CURIOUS.keys()


def test_nothing_is_asked_that_nobody_tells() -> None:
    declared = {each.name for each in Metrics().declared}
    parts = {f"{each}{end}" for each in declared for end in ("", "_bucket", "_sum", "_count")}
    recorded = {rule["record"] for rule in recordings()}
    found = re.findall(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+|\bmaskstream_[a-z_]+", asked())
    assert {each for each in found if each not in parts | recorded} == set()


def test_a_label_is_asked_for_values_that_it_has() -> None:
    declared = {each.name: each for each in Metrics().declared}
    asked_for = []
    for metric, selector in re.findall(r"\b(maskstream_[a-z_]+)\{([^}]*)\}", asked()):
        each = declared[re.sub(r"_(bucket|sum|count)$", "", metric)]
        for label, wanted in re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', selector):
            if label in each.labels and (values := each.values(label)):
                asked_for += [(metric, label, value) for value in wanted.split("|")]
                assert set(wanted.split("|")) <= set(values), f"{metric}: {label}={wanted}"
    assert len(asked_for) > 10


def test_clips_are_no_deliveries_of_alerts() -> None:
    """Where they are shown all the same, they have a line of their own and are named."""
    asked_for = [
        (place, panel, target["expr"])
        for place, panel in panels()
        for target in panel["targets"]
        if re.search("maskstream_deliver(y|ies|ed)_", target["expr"])
    ]
    assert len(asked_for) >= 11
    for place, panel, expr in asked_for:
        named = CLIPS in panel["description"] and "by (endpoint" in expr
        assert f'endpoint!="{CLIPS}"' in expr or named, place


def test_every_recording_is_used() -> None:
    text = asked()
    assert [rule["record"] for rule in recordings() if rule["record"] not in text] == []


def sections_of_the_runbook() -> list[str]:
    text = (ROOT / "docs" / "runbook.md").read_text().partition("\n## Alarms\n")[2]
    return re.findall(r"^### (\w+)$", text, re.MULTILINE)


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    assert sorted(sections_of_the_runbook()) == sorted(rule["alert"] for rule in alarms())


def test_a_section_says_what_it_means_how_to_see_it_what_to_do_and_what_makes_it_worse() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        told = re.findall(r"^\*\*(\w+)\.\*\*", section, re.MULTILINE)
        assert told == ["Means", "See", "Do", "Worse"], section.splitlines()[0]


def test_an_alarm_says_how_bad_it_is_what_it_is_and_where_to_read_on() -> None:
    for rule in alarms():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        notes = rule["annotations"]
        assert notes.keys() == {"summary", "description", "runbook_url"}
        assert notes["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"


def test_rules_lie_where_they_are_looked_for() -> None:
    assert {path.name for path in RULES.glob("*.yaml")} == {"recording.yaml", ALARMS.name}
    assert all(yaml.safe_load(path.read_text()).keys() == {"groups"} for path in RULES.iterdir())
