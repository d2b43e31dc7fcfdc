"""The architecture as a test: arrows run one way, and a file is one thought.

Imports are read with `ast`, those inside functions as well.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.required import require

ROOT = Path(__file__).parents[1]

ARROWS = """
row     | modules                                                  | may import
--------+----------------------------------------------------------+--------------------------
values  | errors masks types                                       |
words   | specs kafka_spec rule_spec evidence_spec web_spec        | values
        | traces_spec                                              |
        | ports sampling context stages                            |
pure    | retry backoff freshness batching audit tally join metrics schemas | values words
        | tracking rules views watching ledger codec placement     |
        | health watermark quarantine gaps expired privacy         |
        | registry seeing rulebook backtest evidence open_alerts   |
        | saturation skipping tracing camera_states comparing      |
        | pairing declared scaling                                 |
config  | config                                                   | values words pure
reading | follow observe reading                                   | values words pure
loops   | lane device epoch playing telling roster ingest segment  | values words pure
        | watch halving capacity camera_counts compare             |
        | notify canary                                            |
edges   | connectors                                               | values words pure
        |                                                          | config reading
cli     | cli                                                      | values words pure
        |                                                          | config reading loops edges
"""
"""Who may import whom, besides modules of the same row. ``connectors`` is the other package; all
other modules are those of ``stream``."""

PLAIN = {
    "cv2", "lap", "msgspec", "numpy", "prometheus_client", "pydantic", "pydantic_core", "yaml",
}  # fmt: skip
"""All that ``stream`` may import from outside, but for its ``cli``."""

HEAVY = {"nncf", "openvino", "safetensors", "torch", "torchvision", "ultralytics"}
HEAVY_HOMES = ("connectors.models", "connectors.demo", "stream.cli.bench")
"""Extras that a plain install has not; only models, the making of the demo's own model, and the
bench that measures others import them."""

TRACES = "opentelemetry"
"""For who asks for traces: loaded where they are sent, and not before."""

MOST_LINES = 400
BANNED = re.compile(r"(Manager|Handler|Helper|Helpers|Utils|Util|Base)$|^Base[A-Z]")
FORBIDDEN_TEXT = re.compile(
    r"https?://[^\s\"']*(pypi|pythonhosted|maven|golang|npmjs|debian|crates|whl)"
    r"|--(extra-)?index-url|(?<![\w.])/(work|home|root|Users)/"
)


@dataclass(frozen=True)
class Import:
    """One import of a module, by its full dotted name, and where it stands."""

    importer: str
    imported: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.importer} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """Dotted name → file of every module of both packages."""
    found = {}
    for package in ("stream", "connectors"):
        for path in sorted((ROOT / package).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[dotted.removesuffix(".__init__")] = path
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Every import in both packages, of a module where that is what is imported."""
    return tuple(
        Import(importer, imported, f"{path.relative_to(ROOT)}:{line}")
        for importer, path in modules().items()
        for imported, line in _imported(ast.parse(path.read_text()))
    )


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: relative import"
            module = str(node.module)
            inner = {f"{module}.{alias.name}" for alias in node.names}
            yield from ((name, node.lineno) for name in inner & modules().keys())
            if inner - modules().keys():
                yield module, node.lineno


def part(dotted: str) -> str:
    """The word that the table has for a module: ``stream.rules.life`` is ``rules``."""
    package, _, rest = dotted.partition(".")
    return package if package == "connectors" or not rest else rest.partition(".")[0]


def is_ours(dotted: str) -> bool:
    return dotted.partition(".")[0] in {"stream", "connectors"}


def table() -> tuple[dict[str, str], dict[str, set[str]]]:
    """The row of each module, and the rows that each row may import."""
    rows: dict[str, str] = {}
    allowed: dict[str, set[str]] = {}
    row = ""
    for line in ARROWS.strip().splitlines()[2:]:
        name, members, may_import = (cell.strip() for cell in line.split("|"))
        row = name or row
        rows |= dict.fromkeys(members.split(), row)
        allowed.setdefault(row, {row}).update(may_import.split())
    return rows, allowed


def listed(found: list[Import]) -> str:
    return "\n".join(map(str, found))


def test_every_module_has_its_row() -> None:
    rows, _ = table()
    parts = {part(dotted) for dotted in modules()} - {"stream"}
    assert parts == rows.keys(), "the table of arrows and the folder differ"


def test_no_arrow_runs_back_up() -> None:
    rows, allowed = table()
    wrong = [
        each
        for each in imports()
        if is_ours(each.imported)
        and each.importer != "stream"
        and rows.get(part(each.imported)) not in allowed.get(rows.get(part(each.importer), ""), ())
    ]
    assert not wrong, listed(wrong)


def test_modules_import_in_no_circle() -> None:
    graph: dict[str, set[str]] = {dotted: set() for dotted in modules()}
    for each in imports():
        if each.imported in graph and each.imported != each.importer:
            graph[each.importer].add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("in a circle: " + " <- ".join(error.args[1]))


def test_what_decides_knows_nothing_of_the_outside() -> None:
    wrong = [
        each
        for each in imports()
        if each.importer.startswith("stream")
        and part(each.importer) != "cli"
        and not is_ours(each.imported)
        and (root := each.imported.partition(".")[0]) not in PLAIN
        and root not in sys.stdlib_module_names
    ]
    assert not wrong, listed(wrong)


def test_heavy_packages_are_imported_where_models_are() -> None:
    wrong = [
        each
        for each in imports()
        if each.imported.partition(".")[0] in HEAVY and not each.importer.startswith(HEAVY_HOMES)
    ]
    assert not wrong, listed(wrong)


def test_traces_are_known_where_they_are_sent_alone() -> None:
    found = {each.importer for each in imports() if each.imported.startswith(TRACES)}
    assert found == {"connectors.tracing"}


def test_the_command_starts_without_what_a_plain_install_lacks() -> None:
    lazy = sorted(HEAVY | {"aiokafka", "faust", "matplotlib", "structlog", TRACES})
    script = f"import stream.cli, sys; print([n for n in {lazy} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_commands_load_without_what_their_work_may_not_need() -> None:
    """A broker's client is wanted by those who have a broker; the bench compares all there is."""
    commands = [each for each in modules() if each.startswith("stream.cli")]
    plain = [each for each in commands if not each.startswith("stream.cli.bench")]
    _load_without(HEAVY | {"aiokafka", "faust", "matplotlib", "scipy", TRACES}, plain)


def test_a_configuration_is_read_without_what_is_slow_to_load() -> None:
    """Commands that only look at it answer in a second."""
    _load_without(HEAVY | {"aiokafka", "av", "lap"}, ["stream.config"])


def _load_without(absent: AbstractSet[str], modules: Sequence[str]) -> None:
    script = f"""
import importlib, sys
sys.modules |= dict.fromkeys({sorted(absent)})
for name in {modules}:
    importlib.import_module(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_file_is_short() -> None:
    lengths = {dotted: len(path.read_text().splitlines()) for dotted, path in modules().items()}
    assert {dotted: n for dotted, n in lengths.items() if n > MOST_LINES} == {}


def test_names_say_what_things_are() -> None:
    classes = {
        f"{dotted}.{node.name}": node.name
        for dotted, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    files = {dotted: dotted.rpartition(".")[2].title().replace("_", "") for dotted in modules()}
    assert [where for where, name in (classes | files).items() if BANNED.search(name)] == []


def kept_files() -> list[Path]:
    """The files that are, or are about to be, in the repository."""
    git = shutil.which("git")
    require("git", bool(git) and (ROOT / ".git").exists(), "no git checkout to list files of")
    done = subprocess.run(
        [str(git), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    found = []
    for path in kept_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        place = path.relative_to(ROOT)
        found += [
            f"{place}:{number}: {hit[0]}"
            for number, line in enumerate(lines, 1)
            if (hit := FORBIDDEN_TEXT.search(line))
        ]
    assert found == []
