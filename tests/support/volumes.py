"""What pods mount and refer to: ConfigMaps and Secrets of manifests, and folders that stand for
persistent volumes.
"""

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Manifest = Mapping[str, Any]


@dataclass
class Objects:
    """What pods find beside them. ``claims`` are folders that stand for persistent volumes."""

    config_maps: dict[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    claims: dict[str, Path] = field(default_factory=dict)

    def take(self, manifests: Iterable[Manifest]) -> None:
        """Have the ConfigMaps and Secrets of a release, in place of what they were."""
        for each in manifests:
            name = each["metadata"]["name"]
            if each["kind"] == "ConfigMap":
                self.config_maps[name] = each.get("data") or {}
            elif each["kind"] == "Secret":
                data = each.get("data") or {}
                plain = {key: base64.b64decode(text).decode() for key, text in data.items()}
                self.secrets[name] = {**plain, **(each.get("stringData") or {})}

    def value(self, kind: str, where: Mapping[str, Any]) -> str:
        """What a ``secretKeyRef`` or a ``configMapKeyRef`` names."""
        kept = {"secretKeyRef": self.secrets, "configMapKeyRef": self.config_maps}[kind]
        return kept[where["name"]][where["key"]]

    def files(self, source: Mapping[str, Any]) -> Mapping[str, str]:
        """The files of a volume, or of a part of a projected one, by their paths."""
        if "projected" in source:
            parts = [self.files(each) for each in source["projected"]["sources"]]
            return {path: text for part in parts for path, text in part.items()}
        if "configMap" in source:
            said = source["configMap"]
            data = self.config_maps[said["name"]]
        else:
            said = source["secret"]
            data = self.secrets[said.get("secretName") or said["name"]]
        items = said.get("items") or [{"key": key, "path": key} for key in data]
        return {item["path"]: data[item["key"]] for item in items}


class Owner(Protocol):
    """The pod of a volume."""

    @property
    def group(self) -> int:
        """Whose the files of Secrets are."""

    def own(self, text: str) -> str:
        """A file of a ConfigMap, as the pod has it."""


def volume(spec: Mapping[str, Any], objects: Objects, folder: Path, owner: Owner) -> Path:
    """The folder that a volume of a pod is."""
    if "persistentVolumeClaim" in spec:
        return objects.claims[spec["persistentVolumeClaim"]["claimName"]]
    folder.mkdir(parents=True)
    if "emptyDir" in spec:
        folder.chmod(0o777)
        return folder
    (source,) = (spec[kind] for kind in ("configMap", "secret", "projected") if kind in spec)
    for path, text in objects.files(spec).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(owner.own(text) if "configMap" in spec else text)
        file.chmod(source.get("defaultMode", 0o644))
        os.chown(file, 0, owner.group)
    return folder
