"""The README is true: its configuration loads, its commands and its links exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli.app import app
from stream.config import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
SECRET = "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMzI="


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_example_configuration_of_the_readme_loads() -> None:
    settings = parse(
        "".join(blocks("README.md", "yaml")), ROOT / "hall.yaml", env={"OPS_SECRET": SECRET}
    )
    assert settings.rules[0].id == "person-leaves"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_shows_exists(page: str) -> None:
    for command in re.findall(
        r"^maskstream ([a-z ]+)", "\n".join(blocks(page, "sh")), re.MULTILINE
    ):
        words = command.split()
        known = words[:2] if words[0] in {"model", "rules", "config"} else words[:1]
        shown = CliRunner().invoke(app, [*known, "--help"])
        assert shown.exit_code == 0, command


@pytest.mark.parametrize("page", PAGES)
def test_every_link_between_pages_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_every_option_that_a_recipe_of_the_makefile_gives_exists() -> None:
    recipes = re.findall(r"/maskstream (\w+)(.*)", (ROOT / "Makefile").read_text())
    assert recipes
    for command, rest in recipes:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        for option in re.findall(r"--[a-z]+", rest):
            assert re.search(rf"{option}\b", shown.output), f"{command} {option}"


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in re.findall(r"`?\bmake ([a-z]+)\b`", (ROOT / page).read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: make {target}"
