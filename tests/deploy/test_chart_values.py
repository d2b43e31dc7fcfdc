"""Values of the chart: each is explained, and one that makes no sense is refused and told why."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.helm.readme import README, readme
from tests.support.helm import CHART, MINIMAL, helm, named, of_kind, pods, refusal, rendered

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

REFUSED = {
    # what a schema can say
    'segment.replicas="two"': "/segment/replicas': got string, want integer",
    "segment.scaling.maxReplica=3": "additional properties 'maxReplica' not allowed",
    "segments.replicas=3": "additional properties 'segments' not allowed",
    "segment.scaling.minReplicas=0": "minimum: got 0, want 1",
    'kafka.brokers=["kafka"]': "'kafka' does not match pattern",
    "kafka.partitions=0": "minimum: got 0, want 1",
    'segment.gpu.resource="gpu"': "'gpu' does not match pattern",
    'image.digest="latest"': "'latest' does not match pattern",
    'config.drain="soon"': "'soon' does not match pattern",
    'config.fresh={"max_age": "1s"}': "additional properties 'fresh' not allowed",
    'model.settings={"precission": "f32"}': "additional properties 'precission' not allowed",
    'model.settings={"precision": "f16"}': "value must be one of 'f32', 'bf16', 'fp16', 'int8'",
    'kafka.sasl.mechanism="GSSAPI"': "value must be one of 'PLAIN', 'SCRAM-SHA-256'",
    'kafka.sasl.users={"ingest": {"username": "a"}}': "missing property 'secret'",
    'ingest.cameras.networks=["10.0.3.7"]': "'10.0.3.7' does not match pattern",
    'shadow.name="Candidate 8"': "'Candidate 8' does not match pattern",
    # what only a look at several values can
    "kafka.brokers=[]": "kafka.brokers: given none; allowed: a list of host:port",
    'scaling.prometheus.url=""': "scaling.prometheus.url: given none; allowed: where Prometheus",
    'web.token.secret=""': "web.token.secret: given none; allowed: the name of a Secret",
    "web.ingress.enabled=true": "web.ingress.host: given none",
    'model.artefact.path=""': "model.artefact: given none; allowed: exactly one of",
    'model.artefact.pvc.claimName="m"': "model.artefact: given path and pvc.claimName; allowed",
    "shadow.enabled=true": "shadow.artefact: given none; allowed",
    "segment.scaling.maxReplicas=49": "segment.scaling.maxReplicas: given 49; allowed: at most 48",
    'segment={"workers": 4, "scaling": {"maxReplicas": 13}}': "given 13 of 4 workers; allowed: at",
    "watch.scaling.minReplicas=5": "watch.scaling.minReplicas: given 5; allowed: at most",
    'segment.scaling.rateWindow="14s"': "segment.scaling.rateWindow: given 14s; allowed: at",
    'shadow={"enabled": true, "replicas": 49}': "shadow.replicas: given 49 of 1 workers; allowed",
    'scaling.prometheus.authModes="bearer"': "scaling.prometheus.authenticationRef: given none",
    'config.endpoints=[{"secret": "words"}]': "config.endpoints[0].secret: given a plain text",
    "kafka.sasl.enabled=true": "kafka.sasl.users: given none for segment; allowed",
    'config.transport="kafka://k:1"': "config.transport: given a section that the chart writes",
    'config.endpoints=[{"secret": {"env": "OPS"}}]': "config.endpoints[0].secret: given {",
    'config.endpoints=[{"secret": {"file": "/run/secrets/endpoints/a"}}]': "secrets.endpoints: ",
    'config.evidence={"store": "/evidence"}': "notify.evidenceClaim: given none; allowed: a claim",
    'notify.evidenceClaim="claim"': "config.evidence.store: given none; allowed: the absolute path",
    'ingest.filesClaim="films"': "config.allowed.folder: given none; allowed: the absolute path",
    'cameras=[{"id": "hall", "url": "hall.mp4"}]': "config.allowed.folder: given none; allowed:",
}  # fmt: skip


@pytest.mark.parametrize("value", REFUSED)
def test_a_value_that_makes_no_sense_is_refused(value: str) -> None:
    assert REFUSED[value] in refusal(*MINIMAL, value)


def test_all_faults_are_told_at_once() -> None:
    told = refusal("segment.scaling.maxReplicas=100")
    for name in (
        "kafka.brokers",
        "scaling.prometheus.url",
        "web.token.secret",
        "model.artefact",
        "segment.scaling",
    ):
        assert f"{name}" in told


def test_a_name_that_is_too_long_for_its_pods_is_refused() -> None:
    assert "fullnameOverride: given" in refusal(*MINIMAL, release="a" * 37)


@pytest.mark.parametrize("release", ["site.a", "1site"])
def test_a_name_that_no_service_may_have_is_refused(release: str) -> None:
    assert f"fullnameOverride: given {release}" in refusal(*MINIMAL, release=release)


def test_a_secret_that_stands_in_the_values_is_not_repeated() -> None:
    assert "words" not in refusal(*MINIMAL, 'config.endpoints=[{"secret": "words"}]')


def test_sections_that_are_null_are_none() -> None:
    given = 'config={"traces": null, "evidence": null}'
    assert of_kind(rendered(*MINIMAL, given), "NetworkPolicy")


def test_large_numbers_stay_numbers() -> None:
    """Helm reads each as a float, and would print 2e+06, which KEDA does not take."""
    values = ("watch.scaling.lag=2000000", "pods.env.BYTES=3000000")
    objects = rendered(*MINIMAL, *values)
    (trigger,) = named(objects, "ScaledObject", "site-watch")["spec"]["triggers"]
    assert trigger["metadata"]["lagThreshold"] == "2000000"
    (container,) = pods(objects)["site-watch"]["containers"]
    assert container["env"] == [{"name": "BYTES", "value": "3000000"}]


def test_a_version_with_a_build_stands_in_labels_that_an_api_server_takes(tmp_path: Path) -> None:
    version = ("--version", "1.0.0+abc", "--app-version", "1.0.0+abc")
    assert helm("package", str(CHART), "--destination", str(tmp_path), *version).returncode == 0
    (package,) = tmp_path.glob("*.tgz")
    options = [part for each in MINIMAL for part in ("--set-json", each)]
    done = helm("template", "site", str(package), *options)
    assert done.returncode == 0, done.stderr
    assert "1.0.0_abc" in done.stdout
    assert "1.0.0+abc" not in done.stdout


def test_what_a_component_says_of_its_pods_wins_even_if_it_is_nothing() -> None:
    all_pods = {"partition": 3, "tolerations": [{"key": "a"}], "nodeSelector": {"a": "b"}}
    own = {"partition": 0, "tolerations": [], "nodeSelector": {"c": "d"}}
    values = (f"pods={json.dumps(all_pods)}", f"segment.pod={json.dumps(own)}")
    objects = rendered(*MINIMAL, *values)
    for name, partition in {"site-segment": 0, "site-watch": 3}.items():
        spec = named(objects, "StatefulSet", name)["spec"]
        assert spec["updateStrategy"]["rollingUpdate"]["partition"] == partition
    assert "tolerations" not in pods(objects)["site-segment"]
    assert pods(objects)["site-watch"]["tolerations"] == [{"key": "a"}]
    assert pods(objects)["site-segment"]["nodeSelector"] == {"a": "b", "c": "d"}


def test_the_schema_knows_every_value() -> None:
    known = set(_known(SCHEMA))
    for leaf in _leaves(VALUES):
        parts = leaf.split(".")
        told = [".".join(parts[: end + 1]) for end in range(len(parts))]
        assert known.issuperset(told) or _is_free(told, known), leaf


def test_every_value_is_explained() -> None:
    assert README.read_text() == readme(), "run `make chart`"


def _leaves(values: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{at}{key}.")
        else:
            yield f"{at}{key}"


def _known(schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Every path that the schema names; free-form mappings end one."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    for key, each in schema.get("properties", {}).items():
        yield f"{at}{key}"
        if isinstance(each, dict):
            yield from _known(each, f"{at}{key}.")


def _is_free(paths: Sequence[str], known: Collection[str]) -> bool:
    """Whether a mapping on the way to a value takes any key, as labels do."""
    last = [path for path in paths if path in known][-1]
    return not any(each.startswith(f"{last}.") for each in known)
