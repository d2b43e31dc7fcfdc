"""The chart: an API server takes what it makes, and `maskstream` what it says."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from stream.cli.app import app
from stream.config import doubts, parse
from stream.errors import ConfigError
from tests.support.helm import (
    CHART,
    EXAMPLES,
    MINIMAL,
    ROOT,
    Object,
    configurations,
    helm,
    named,
    of_kind,
    pods,
    rendered,
)
from tests.support.kubernetes import VERSIONS, faults, not_restricted

SHADOW = ("shadow.enabled=true", 'shadow.artefact.path="/opt/other"')
LOGIN = (
    "kafka.tls.enabled=true",
    'kafka.tls.caSecret="ca"',
    'kafka.tls.clientSecret="client"',
    "kafka.sasl.enabled=true",
    'kafka.sasl.users={"default": {"username": "maskstream", "secret": "user"}}',
)
MONITORED = tuple(
    f"monitoring.{each}.enabled=true" for each in ("serviceMonitors", "rules", "dashboards")
)
EVERYTHING = (
    *MINIMAL, *SHADOW, *LOGIN, *MONITORED,
    "segmentArchive.enabled=true",
    "resourceQuota={\"enabled\": true, \"hard\": {\"pods\": \"50\"}}",
    "web.ingress={\"enabled\": true, \"host\": \"masks.example\", \"tlsSecret\": \"masks\"}",
    "web.segment=true",
    'cameras=[{"id": "hall", "url": "rtsp://10.0.3.7/1"}]',
    'config={"traces": {"endpoint": "http://collector:4318"}}',
)  # fmt: skip
SITES: dict[str, Sequence[str]] = {
    **{path.stem: (str(path),) for path in EXAMPLES},
    "as it comes": MINIMAL,
    "everything": EVERYTHING,
    "everything, fixed": (*EVERYTHING, "scaling.enabled=false", "networkPolicies.enabled=false"),
    "promoted": (*MINIMAL, *SHADOW, "shadow.promote=true"),
    "segment alone": (
        *MINIMAL, "ingest.enabled=false", "watch.enabled=false", "notify.enabled=false",
        "web.enabled=false", "podDisruptionBudgets=false", "jobs.topics=false",
        "segment.workers=3", "segment.gpu.count=1",
    ),
}  # fmt: skip


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Sequence[Object]:
    return rendered(*SITES[request.param])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_helm_finds_nothing_wrong_with_an_example(path: Path) -> None:
    done = helm("lint", "--strict", str(CHART), "--values", str(path))
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def test_an_api_server_takes_every_object() -> None:
    told = []
    for version in VERSIONS:
        names = SITES if version == VERSIONS[-1] else ["everything"]
        seen = {
            json.dumps(each, sort_keys=True): each
            for name in names
            for each in rendered(*SITES[name])
        }
        told += [fault for each in seen.values() for fault in faults(each, version)]
    assert told == []


def test_a_misspelt_field_would_be_found() -> None:
    objects = rendered(*EVERYTHING)
    for kind in (
        "StatefulSet",
        "NetworkPolicy",
        "ScaledObject",
        "TriggerAuthentication",
        "ServiceMonitor",
    ):
        thing = of_kind(objects, kind)[0]
        wrong = {**thing, "spec": {**thing["spec"], "replica": 1}}
        assert any("replica" in each for each in faults(wrong, VERSIONS[0])), kind


def test_every_pod_is_restricted(site: Sequence[Object]) -> None:
    for name, pod in pods(site).items():
        assert list(not_restricted(pod)) == [], name
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["runAsGroup"] == 65532
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]


def test_every_pod_has_an_account_of_its_own_without_a_token(site: Sequence[Object]) -> None:
    accounts = {each["metadata"]["name"]: each for each in of_kind(site, "ServiceAccount")}
    used = [pod["serviceAccountName"] for pod in pods(site).values()]
    assert sorted(used) == sorted(accounts)
    assert not any(each["automountServiceAccountToken"] for each in accounts.values())


def test_every_volume_of_a_pod_is_mounted_and_every_mount_there(site: Sequence[Object]) -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in site}
    for pod in pods(site).values():
        volumes = {each["name"]: each for each in pod["volumes"]}
        mounts = {mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]}
        assert volumes.keys() == mounts
        secrets = [each["secret"] for each in volumes.values() if "secret" in each]
        assert all(each["secretName"] for each in secrets)
        assert ("ConfigMap", volumes["config"]["configMap"]["name"]) in made


def test_maskstream_takes_the_arguments_of_every_pod(
    site: Sequence[Object], tmp_path: Path
) -> None:
    for name in ("config.yaml", "cameras.yaml"):
        (tmp_path / name).touch()
    for pod in pods(site).values():
        (container,) = pod["containers"]
        if "command" not in container:
            args = [each.replace("/etc/maskstream", str(tmp_path)) for each in container["args"]]
            assert _refused(args) == ""


def _refused(args: Sequence[str]) -> str:
    """Why the command line is not one of `maskstream`; nothing is run."""
    command, rest, parent = get_command(app), list(args), None
    try:
        while isinstance(command, TyperGroup):
            parent = command.make_context(command.name, rest, parent=parent)
            words = [*parent._protected_args, *parent.args]
            _, found, rest = command.resolve_command(parent, words)
            assert found is not None
            command = found
        command.make_context(command.name, rest, parent=parent)
    except Exception as error:
        return f"{args}: {error!r}"
    return ""


def test_every_configuration_is_one_that_maskstream_takes(site: Sequence[Object]) -> None:
    for name, text in configurations(site).items():
        settings = parse(text, f"/etc/maskstream/{name}.yaml", secrets=False)
        assert settings.on_kafka
        assert (settings.health.host, settings.health.port) == ("0.0.0.0", 9090)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_in_an_example_is_doubtful(path: Path) -> None:
    texts = configurations(rendered(str(path)))
    settings = parse(texts["site-watch"], "/etc/maskstream/config.yaml", secrets=False)
    has_notify = "site-notify" in texts  # without it there is nobody to be told
    assert not [each for each in doubts(settings) if has_notify or "no notify" not in each]


def test_a_change_of_rules_or_retention_starts_no_pod_anew() -> None:
    def annotations(*values: str) -> dict[str, str]:
        sets = of_kind(rendered(*MINIMAL, *values), "StatefulSet")
        return {
            each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"][
                "maskstream/config"
            ]
            for each in sets
        }

    before = annotations()
    zones = 'config.zones=[{"id": "exit", "camera": "hall", "polygon": [[0, 0], [1, 0], [1, 1]]}]'
    assert annotations(zones) == before
    assert annotations('kafka.retention={"masks": "240h"}') == before
    slower = annotations('config.drain="20s"')
    assert not slower.items() & before.items()
    other = annotations('model.settings={"precision": "f32", "sha256": "%s"}' % ("0" * 64))
    assert other["site-segment"] != before["site-segment"]


def test_promoting_a_shadow_gives_its_model_to_segment_and_ends_it() -> None:
    beside, alone = rendered(*MINIMAL, *SHADOW), rendered(*SITES["promoted"])
    model = yaml.safe_load(configurations(beside)["site-shadow"])["shadow"]
    promoted = yaml.safe_load(configurations(alone)["site-segment"])["model"]
    assert promoted == {key: value for key, value in model.items() if key != "name"}
    assert "site-shadow" not in pods(alone)
    assert "site-compare" not in pods(alone)


def test_what_was_promoted_becomes_the_model_without_a_restart() -> None:
    taken_over = (*MINIMAL, 'model.artefact.path="/opt/other"')
    before, after = rendered(*SITES["promoted"]), rendered(*taken_over)
    for name in ("site-segment", "site-watch", "site-web"):
        old, new = named(before, "StatefulSet", name), named(after, "StatefulSet", name)
        assert old["spec"] == new["spec"]


def test_a_pod_is_given_no_secret_that_its_role_does_not_use() -> None:
    objects = rendered(str(CHART / "examples" / "large-site.yaml"))
    found = {
        name: {
            volume["name"]: volume["secret"]["secretName"]
            for volume in pod["volumes"]
            if "secret" in volume
        }
        for name, pod in pods(objects).items()
    }
    login = {"kafka-ca": "kafka-ca"}
    assert found["site-segment"] == {**login, "kafka-user": "kafka-segment"}
    assert found["site-watch"] == {**login, "kafka-user": "kafka-watch"}
    assert found["site-ingest"] == {
        **login,
        "kafka-user": "kafka-ingest",
        "credentials": "site-a-cameras",
    }
    assert found["site-notify"] == {
        **login, "kafka-user": "kafka-notify", "endpoints": "site-a-endpoints",
        "evidence": "site-a-evidence",
    }  # fmt: skip
    assert found["site-web"] == {
        **login,
        "kafka-user": "kafka-web",
        "evidence": "site-a-evidence",
        "web": "site-a-page",
    }


def test_topics_are_kept_as_long_as_the_values_say() -> None:
    texts = configurations(rendered(str(CHART / "examples" / "large-site.yaml")))
    found = {name for name, text in texts.items() if "retention" in yaml.safe_load(text)["kafka"]}
    assert found == {"site-topics", "site-test"}


def test_replicas_are_left_to_keda_where_it_scales() -> None:
    scaled = {
        each["metadata"]["name"]: each["spec"]
        for each in of_kind(rendered(*EVERYTHING), "StatefulSet")
    }
    targets = {
        each["spec"]["scaleTargetRef"]["name"]
        for each in of_kind(rendered(*EVERYTHING), "ScaledObject")
    }
    assert {name for name, spec in scaled.items() if "replicas" not in spec} == targets
    fixed = of_kind(rendered(*EVERYTHING, "scaling.enabled=false"), "StatefulSet", "ScaledObject")
    assert all(each["spec"]["replicas"] == 1 for each in fixed)


def test_a_pod_may_take_longer_to_stop_than_its_drain() -> None:
    for drain, drain_s in (("10s", 10), ("1m", 60), ("1500ms", 2), ("0.5m", 30)):
        objects = rendered(*MINIMAL, f'config.drain="{drain}"', "segment.workers=2")
        for each in of_kind(objects, "StatefulSet"):
            grace_s = each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            assert drain_s + 15 <= grace_s <= drain_s + 20


def test_monitoring_is_what_dashboards_has(tmp_path: Path) -> None:
    objects = rendered(*MINIMAL, *MONITORED, 'monitoring.runbookUrl="https://wiki.example/r"')
    _is_monitored(objects, "https://wiki.example/r")
    # A package holds the files themselves, where a checkout has links to them.
    done = helm("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    shutil.unpack_archive(package, tmp_path)
    packed = tmp_path / "maskstream" / "files" / "dashboards" / "maskstream-overview.json"
    assert packed.read_bytes() == (ROOT / "dashboards" / "json" / packed.name).read_bytes()


def _is_monitored(objects: Sequence[Object], runbook: str) -> None:
    for path in (ROOT / "dashboards" / "json").glob("*.json"):
        name = f"site-monitoring{path.stem.removeprefix('maskstream')}"
        found = named(objects, "ConfigMap", name)
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(found["data"][path.name]) == json.loads(_at(path, runbook))
        assert len(found["data"][path.name]) < 2**20
    for path in (ROOT / "dashboards" / "rules").glob("*.yaml"):
        found = named(objects, "PrometheusRule", f"site-monitoring-{path.stem}")
        assert found["spec"] == yaml.safe_load(_at(path, runbook))


def _at(path: Path, runbook: str) -> str:
    return path.read_text().replace("https://maskstream.example/docs/runbook.md", runbook)


def test_who_scrapes_finds_every_role_and_leaves_its_labels() -> None:
    objects = rendered(*EVERYTHING)
    (monitor,) = of_kind(objects, "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [
        each for each in of_kind(objects, "Service") if wanted <= each["metadata"]["labels"].items()
    ]
    sets = of_kind(objects, "StatefulSet")
    assert {each["metadata"]["name"] for each in services} == {
        each["spec"]["serviceName"] for each in sets
    }
    assert all(each["spec"]["ports"][0]["name"] == endpoint["port"] for each in services)


def test_the_test_asks_every_role_that_has_a_pod() -> None:
    objects = rendered(*EVERYTHING)
    (pod,) = of_kind(objects, "Pod")
    (container,) = pod["spec"]["containers"]
    asked = {each.partition(":")[0] for each in container["args"][1:]}
    sets = {each["metadata"]["name"] for each in of_kind(objects, "StatefulSet")}
    assert asked == sets - {"site-segment-archive"}  # it may have gone to none


def test_digests_of_images_win_over_tags() -> None:
    digest = "sha256:" + hashlib.sha256(b"image").hexdigest()
    objects = rendered(*MINIMAL, f'image.digest="{digest}"')
    (container,) = pods(objects)["site-watch"]["containers"]
    assert container["image"] == f"maskstream@{digest}"


def test_a_card_takes_the_other_image_and_a_node_of_its_own() -> None:
    objects = rendered(
        *MINIMAL, "segment.gpu.count=1", 'segment.gpu.resource="nvidia.com/mig-1g.10gb"'
    )
    pod = pods(objects)["site-segment"]
    (container,) = pod["containers"]
    assert container["image"].startswith("maskstream-cuda:")
    assert container["resources"]["limits"]["nvidia.com/mig-1g.10gb"] == "1"
    apart = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [each["topologyKey"] for each in apart] == ["kubernetes.io/hostname"]
    parts = rendered(*MINIMAL, "segment.gpu.count=1", "segment.gpu.onePerNode=false")
    assert "affinity" not in pods(parts)["site-segment"]


def test_configurations_that_are_bad_are_refused_by_the_same_reader() -> None:
    text = configurations(rendered(*MINIMAL, 'config.freshness={"max_age": "soon"}'))[
        "site-segment"
    ]
    with pytest.raises(ConfigError, match=r"freshness\.max_age"):
        parse(text, "/etc/maskstream/config.yaml", secrets=False)
