"""docs/kubernetes.md shows objects that a cluster takes, and names all that its examples want."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.config import parse
from tests.support.helm import CHART, Object, pods, rendered
from tests.support.kubernetes import VERSIONS, faults, not_restricted

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
BLOCKS = [
    thing
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for thing in yaml.safe_load_all(block)
]
OBJECTS: list[Object] = [each for each in BLOCKS if "kind" in each]


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda each: str(each["kind"]))
def test_every_object_that_the_page_shows_is_one_that_a_cluster_takes(thing: Object) -> None:
    named = {**thing, "metadata": {**thing["metadata"], "namespace": "cameras"}}
    assert [fault for version in VERSIONS for fault in faults(named, version)] == []


def test_the_pod_that_takes_models_may_run_where_pods_of_the_chart_do() -> None:
    (pod,) = (each for each in OBJECTS if each["kind"] == "Pod")
    assert list(not_restricted(pod["spec"])) == []


def test_the_broker_is_told_what_that_of_compose_is_told() -> None:
    """Those settings run in tests/deploy/test_compose_stack.py; addresses are its own."""
    (broker,) = (each for each in OBJECTS if each["kind"] == "Deployment")
    (container,) = broker["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"]}
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())
    kafka = compose["services"]["kafka"]
    own = {name for name in given if name.endswith(("LISTENERS", "PROTOCOL_MAP"))}
    assert container["image"] == kafka["image"]
    assert {name: given[name] for name in given if name not in own} == {
        name: str(kafka["environment"][name]) for name in given if name not in own
    }
    assert given["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{_brokers('laptop')[0]}"


def test_rights_can_be_printed_from_what_the_page_shows() -> None:
    (shown,) = (each for each in BLOCKS if "transport" in each)
    settings = parse(yaml.safe_dump(shown), Path("rights.yaml"), secrets=False)
    example = _example("large-site")
    assert settings.kafka.prefix == example["kafka"]["prefix"]
    assert settings.shadow is not None
    assert settings.shadow.name == example["shadow"]["name"]


@pytest.mark.parametrize("name", ["laptop", "one-gpu", "large-site"])
def test_every_secret_that_an_example_wants_is_named(name: str) -> None:
    found = {
        volume["secret"]["secretName"]
        for pod in pods(rendered(str(CHART / "examples" / f"{name}.yaml"))).values()
        for volume in pod["volumes"]
        if "secret" in volume
    }
    users = re.search(r"for user in (.*);", PAGE)
    assert users is not None
    made = {f"kafka-{user}" for user in users[1].split()}
    assert {each for each in found - made if each not in PAGE} == set()


def _brokers(name: str) -> list[str]:
    return list(_example(name)["kafka"]["brokers"])


def _example(name: str) -> Any:
    return yaml.safe_load((CHART / "examples" / f"{name}.yaml").read_text())
