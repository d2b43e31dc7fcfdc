"""Who may reach whom under the chart's network policies, and that nobody else may."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.support.helm import CHART, MINIMAL, Object, of_kind, rendered

SITE = (
    str(CHART / "examples" / "large-site.yaml"),
    'cameras=[{"id": "hall", "url": "rtsp://10.20.0.1/1"}]',
    'kafka.sasl.users.cameras={"username": "site-a-admin", "secret": "kafka-admin"}',
)
ALL = {"TCP 53", "UDP 53", "TCP 9093", "TCP 4318"}
"""DNS, brokers and the collector of traces."""
MORE = {
    "ingest": {"TCP 322", "TCP 554", "TCP 8554", "UDP 1024-65535"},
    "notify": {"TCP 443"},
    "web": {"TCP 443"},
    "test": {"TCP 9090"},
}


@pytest.fixture(scope="module")
def site() -> Sequence[Object]:
    return rendered(*SITE)


def test_every_pod_goes_only_where_its_role_has_to(site: Sequence[Object]) -> None:
    found = {
        name: {port for port, _ in _allowed(site, labels, "Egress")} for name, labels in _pods(site)
    }
    assert found == {name: ALL | MORE.get(name, set()) for name in found}
    assert {"topics", "cameras", "segment", "segment-archive", "shadow", "compare"} < found.keys()


def test_only_who_scrapes_and_the_test_come_in_and_to_the_page_the_ingress(
    site: Sequence[Object],
) -> None:
    for name, labels in _pods(site):
        found = {
            port: sorted(map(_named, peers)) for port, peers in _allowed(site, labels, "Ingress")
        }
        wanted = {"TCP health": ["monitoring", "test"]}
        if name == "web":
            wanted["TCP http"] = ["ingress-nginx"]
        if name == "ingest":
            wanted["UDP 1024-65535"] = ["10.20.0.0/16"]  # pictures, where a camera says `rtsp: udp`
        assert found == wanted, name


def test_webhooks_reach_public_addresses_alone(site: Sequence[Object]) -> None:
    labels = dict(_pods(site))["notify"]
    blocks = [
        peer["ipBlock"]
        for port, peers in _allowed(site, labels, "Egress")
        for peer in peers
        if port == "TCP 443" and "ipBlock" in peer
    ]
    assert [each["cidr"] for each in blocks] == ["0.0.0.0/0", "::/0"]
    assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} < set(blocks[0]["except"])


def test_cameras_are_reached_in_their_networks_alone(site: Sequence[Object]) -> None:
    labels = dict(_pods(site))["ingest"]
    reached = dict(_allowed(site, labels, "Egress"))
    assert reached["TCP 554"] == [{"ipBlock": {"cidr": "10.20.0.0/16"}}]


def test_without_policies_there_are_none() -> None:
    assert not of_kind(rendered(*MINIMAL, "networkPolicies.enabled=false"), "NetworkPolicy")


def _pods(objects: Sequence[Object]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The labels of the pods of each component."""
    for each in of_kind(objects, "StatefulSet", "Job", "Pod"):
        made = each if each["kind"] == "Pod" else each["spec"]["template"]
        labels = made["metadata"]["labels"]
        yield labels["app.kubernetes.io/component"], labels


def _allowed(
    objects: Sequence[Object], labels: Mapping[str, str], direction: str
) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """The ports that pods with these labels may use, and with whom; nobody named is anybody."""
    ours = [each["spec"] for each in of_kind(objects, "NetworkPolicy")]
    selecting = [each for each in ours if _selects(each["podSelector"], labels)]
    assert any(direction in each["policyTypes"] for each in selecting), "nothing denies the rest"
    peers = {"Egress": "to", "Ingress": "from"}[direction]
    for spec in selecting:
        for rule in spec.get(direction.lower()) or []:
            for port in rule["ports"]:
                last = f"-{port['endPort']}" if "endPort" in port else ""
                yield f"{port['protocol']} {port['port']}{last}", rule.get(peers, [])


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    matches = selector.get("matchLabels", {}).items() <= labels.items()
    terms = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in terms)
    return matches and all(labels.get(each["key"]) in each["values"] for each in terms)


def _named(peer: Mapping[str, Any]) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    (selector,) = peer.values()
    names = selector["matchLabels"]
    default = names.get("app.kubernetes.io/component")
    return str(names.get("kubernetes.io/metadata.name", default))
