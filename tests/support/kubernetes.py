"""What an API server checks of an object: its schema, strictly, and PodSecurity `restricted`."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support.helm import Object, tools

VERSIONS = ("1.30", "1.33", "1.37")
"""The oldest that the chart takes, one between, and the newest that kubernetes-validate knows."""

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip


def faults(thing: Object, version: str) -> list[str]:
    """What is wrong with an object, unknown fields among it."""
    schema = _definition(thing["kind"])
    validator = (
        _custom(thing["kind"]) if schema else _own(thing["kind"], thing["apiVersion"], version)
    )
    name = f"{version}: {thing['kind']} {thing['metadata']['name']}"
    return [
        f"{name}: {'.'.join(map(str, each.absolute_path))}: {each.message}"
        for each in validator.iter_errors(thing)
    ]


@cache
def _own(kind: str, api_version: str, version: str) -> Draft202012Validator:
    """By the schemas of kubernetes-validate, whose own function reads them anew for each object."""
    group, _, name = api_version.rpartition("/")
    parts = (kind.lower(), *([group.split(".")[0]] if group else []), name)
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    schema = json.loads((folder / f"{'-'.join(parts)}.json").read_text())
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    definitions = json.loads((folder / "_definitions.json").read_text())
    named: Registry[Any] = Registry().with_resource(
        "_definitions.json", Resource.from_contents(definitions)
    )
    return named.crawl()  # else each reference would


@cache
def _custom(kind: str) -> Draft202012Validator:
    definition = _definition(kind)
    assert definition is not None
    (version,) = [each for each in definition["spec"]["versions"] if each["storage"]]
    return Draft202012Validator(_strict(version["schema"]["openAPIV3Schema"]))


@cache
def _definition(kind: str) -> Mapping[str, Any] | None:
    """The definition of a custom resource, as its own project publishes it."""
    name = {
        "ScaledObject": "keda.sh_scaledobjects",
        "TriggerAuthentication": "keda.sh_triggerauthentications",
        "ServiceMonitor": "monitoring.coreos.com_servicemonitors",
        "PrometheusRule": "monitoring.coreos.com_prometheusrules",
    }.get(kind)
    if name is None:
        return None
    found: Mapping[str, Any] = yaml.load(
        (tools() / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    return found


def _strict(schema: Any) -> Any:
    """An OpenAPI schema as a JSON schema that refuses unknown fields, as an API server's strict
    validation does.
    """
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(each) for key, each in schema.items() if key != "description"}
    if made.pop("x-kubernetes-int-or-string", False):
        made = {"type": ["integer", "string"]}
    is_open = made.get("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in made and "additionalProperties" not in made and not is_open:
        made["additionalProperties"] = False
    return made


def not_restricted(pod: Object) -> Iterator[str]:
    """What PodSecurity `restricted` refuses in a pod's specification.

    Source: Kubernetes, "Pod Security Standards", https://kubernetes.io/docs/concepts/security/.
    """
    own = pod.get("securityContext", {})
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield key
    if own.get("sysctls"):
        yield "sysctls"
    for volume in pod.get("volumes", []):
        yield from (f"volume {kind}" for kind in volume.keys() - {"name"} - _VOLUMES)
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        for fault in _container(container, own):
            yield f"{container['name']}: {fault}"


def _container(container: Object, pod: Object) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**pod, **own}
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("privileged") or own.get("procMount", "Default") != "Default":
        yield "privileged"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "may run as root"
    if both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "seccompProfile"
    capabilities = own.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add", []) not in (
        [],
        ["NET_BIND_SERVICE"],
    ):
        yield "capabilities"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort"
