"""The README is true: its configuration loads, its commands and its links exist."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter
from typer.main import get_command

from stream.cli.app import app
from stream.config import parse, with_credentials
from stream.rules import AnyRule, Rule

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "dashboards/README.md",
    "deploy/compose/README.md",
    "deploy/docker/README.md",
    "deploy/helm/maskstream/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
SECRET = "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMzI="


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_example_configuration_of_the_readme_loads() -> None:
    settings = parse(
        "".join(blocks("README.md", "yaml")), ROOT / "hall.yaml", env={"OPS_SECRET": SECRET}
    )
    assert settings.rules[0].id == "person-leaves"


def test_the_example_for_kafka_loads_and_names_what_is_there() -> None:
    settings = parse(blocks("docs/kafka.md", "yaml")[0], ROOT / "yard.yaml", env={})
    (camera,) = settings.cameras
    assert (ROOT / camera.url).is_file()
    assert (ROOT / settings.model.weights).is_dir()


def test_the_examples_for_cameras_load_and_name_what_is_there() -> None:
    trial, own = blocks("docs/cameras.md", "yaml")[:2]
    settings = parse(trial, ROOT / "hall.yaml")
    assert (ROOT / settings.model.weights).is_dir()
    hall, gate = parse(f"model: {{weights: yolo.pt}}\n{own}", ROOT / "own.yaml").cameras
    assert (hall.credentials, len(gate.privacy)) == ("hall", 1)


def test_the_credential_that_is_shown_may_go_to_the_camera_that_is_shown(tmp_path: Path) -> None:
    _, own, credential = blocks("docs/cameras.md", "yaml")
    (tmp_path / "hall.yaml").write_text(credential)
    hall, _ = parse(f"model: {{weights: yolo.pt}}\n{own}", ROOT / "own.yaml").cameras
    assert with_credentials(hall, tmp_path).startswith("rtsp://viewer:the%20camera%27s%20password@")


def fenced(page: str) -> list[str]:
    """What is to be typed after ``maskstream`` in the blocks of a page, whatever their language."""
    found = re.findall(r"^```.*?\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return re.findall(r"^(?:\.venv/bin/)?maskstream (.+)$", "".join(found), re.MULTILINE)


def in_prose(page: str) -> list[str]:
    """What comes after ``maskstream`` in the sentences of a page, often cut short."""
    text = re.sub(r"\s+", " ", (ROOT / page).read_text())
    return re.findall(r"`maskstream ([a-z][^`]*)`", text)


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the other words."""
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        name, *words = words
        assert name in command.commands, f"{name}: no such command"
        command = command.commands[name]
    return command, words


def assert_options_exist(text: str) -> None:
    command, words = command_of(shlex.split(text))
    known = {option for each in command.params for option in each.opts}
    given = set(re.findall(r"--[a-z-]+", " ".join(words)))
    assert given <= known, f"{text}: has {sorted(known)}"


def test_every_rule_that_the_page_on_rules_shows_can_be_written() -> None:
    rules = [rule for block in blocks("docs/rules.md", "yaml") for rule in _rules_in(block)]
    read = TypeAdapter(tuple[Rule, ...]).validate_python(rules)
    assert {rule.kind for rule in read} == set(_kinds())


def _rules_in(block: str) -> list[Any]:
    written = yaml.safe_load(block)
    if "rules" in written:  # a whole configuration
        return list(written["rules"])
    if isinstance(written, dict):  # a setting that all kinds have
        return [{"id": "any", "kind": "presence", **written}]
    return list(written)


def _kinds() -> Iterator[str]:
    for kind in get_args(AnyRule):
        yield kind.model_fields["kind"].default


@pytest.mark.parametrize(
    ("page", "text"), [(page, text) for page in PAGES for text in fenced(page)]
)
def test_every_command_that_a_page_shows_can_be_typed(page: str, text: str) -> None:
    typed = takewhile(lambda word: word not in {"&", ">", "|"}, shlex.split(text, comments=True))
    command, words = command_of(list(typed))
    command.make_context(text, words)  # raises at an option, a value or a count that is not allowed


@pytest.mark.parametrize(
    ("page", "text"), [(page, text) for page in PAGES for text in in_prose(page)]
)
def test_every_command_that_a_page_speaks_of_exists(page: str, text: str) -> None:
    assert_options_exist(text)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_between_pages_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_every_option_that_a_recipe_of_the_makefile_gives_exists() -> None:
    recipes = re.findall(r"/maskstream (.+)", (ROOT / "Makefile").read_text())
    assert recipes
    for recipe in recipes:
        assert_options_exist(recipe)


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in re.findall(r"`?\bmake ([a-z]+)\b`", (ROOT / page).read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: make {target}"


def test_the_settings_for_evidence_load() -> None:
    head = (
        "model: {weights: yolo.pt}\ncameras: [{id: hall, url: hall.mp4}]\n"
        "zones: [{id: exit, camera: hall, polygon: [[0, 0], [1, 0], [1, 1]]}]\n"
        "endpoints: [{id: ops, url: 'https://ops.example', secret: {env: OPS_SECRET}}]\n"
    )
    own, bucket = blocks("docs/evidence.md", "yaml")
    for block in (own, bucket):
        assert parse(head + block, ROOT / "yard.yaml", secrets=False).evidence is not None
