"""A cluster as its clients see it: objects by their paths, and kubectl for those who type."""

import json
import ssl
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.support.cluster.keys import Keys
from tests.support.cluster.parts import program

ADMIN = "admin"
MASTERS = "system:masters"
ANSWER_S = 10.0
KUBECTL_S = 120.0

Object = dict[str, Any]

_PATHS = {
    "events": "api/v1",
    "pods": "api/v1",
    "statefulsets": "apis/apps/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2",
    "scaledobjects": "apis/keda.sh/v1alpha1",
}


@dataclass(frozen=True)
class Api:
    """The apiserver at ``url``, asked by an administrator."""

    url: str
    keys: Keys

    @property
    def kubeconfig(self) -> Path:
        return self.keys.kubeconfig(ADMIN, self.url, MASTERS)

    def get(self, path: str) -> Object:
        """What is at a path; raises `HTTPError` for anything but 200."""
        request = Request(f"{self.url}/{path}")
        with urlopen(request, timeout=ANSWER_S, context=self._tls) as answer:
            found: Object = json.load(answer)
        return found

    def answers(self, path: str) -> bool:
        """Whether what is at a path is there."""
        return self.says_ok(f"{self.url}/{path}")

    def says_ok(self, url: str) -> bool:
        """Whether a part of the cluster answers at ``url`` with 200."""
        try:
            with urlopen(url, timeout=ANSWER_S, context=self._tls) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def one(self, namespace: str, kind: str, name: str) -> Object | None:
        """An object of a namespace, or None where it is not; ``kind`` is plural, as in paths."""
        try:
            return self.get(f"{_PATHS[kind]}/namespaces/{namespace}/{kind}/{name}")
        except HTTPError as error:
            if error.code == 404:
                return None
            raise

    def all(self, namespace: str, kind: str, labels: str = "") -> list[Object]:
        """The objects of a namespace, of ``labels`` where these are given (``a=b,c=d``)."""
        words = f"?labelSelector={labels}" if labels else ""
        found = self.get(f"{_PATHS[kind]}/namespaces/{namespace}/{kind}{words}")
        items: list[Object] = found["items"]
        return items

    def kubectl(self, *words: str, given: str = "") -> str:
        """Run kubectl, with ``given`` as its stdin; returns what it printed."""
        done = self.tried(*words, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def tried(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl where it may fail."""
        return subprocess.run(
            [program("kubectl"), f"--kubeconfig={self.kubeconfig}", *words],
            check=False, capture_output=True, text=True, input=given, timeout=KUBECTL_S,
        )  # fmt: skip

    def apply(self, *objects: Object) -> str:
        """Apply objects on the server's side, and return what kubectl printed."""
        document = {"apiVersion": "v1", "kind": "List", "items": objects}
        return self.kubectl("apply", "--server-side", "-f", "-", given=json.dumps(document))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.keys.ca))
        certificate, key = self.keys.pair(ADMIN, MASTERS)
        context.load_cert_chain(certificate, key)
        return context
