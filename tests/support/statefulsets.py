"""StatefulSets of a release, whose pods run here: what their controller does with them.

After kubernetes/pkg/controller/statefulset: with ``Parallel`` all that are wanted begin, and all
that are too many end, at once; else one after the other, from the highest when they end. A changed
template takes one pod at a time, from the highest, and waits until the new one is ready.
"""

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.pods import Pod
from tests.support.sandbox import require_sandbox
from tests.support.volumes import Manifest, Objects
from tests.support.waiting import wait_until

COMPONENT = "app.kubernetes.io/component"
MANY = 2
"""Restarts of a pod that is waited for: it will not be ready."""
READY_S = 120.0


class StatefulSet:
    """The pods of one StatefulSet. ``gone`` are those that were."""

    def __init__(self, manifest: Manifest, objects: Objects, folder: Path) -> None:
        self.pods: list[Pod] = []
        self.gone: list[Pod] = []
        self._manifest = manifest
        self._objects = objects
        self._folder = folder

    @property
    def all(self) -> Sequence[Pod]:
        """All that ever were, in order of their beginning."""
        return sorted([*self.gone, *self.pods], key=lambda pod: pod.events[0].at_s)

    def scale(self, count: int) -> None:
        """Have so many pods: those that come are asked for on return, those that go are gone."""
        while len(self.pods) < count:
            self.pods.append(self._pod(len(self.pods)))
            if not self._is_parallel:
                wait_ready(self.pods)
        surplus = self.pods[count:][::-1]
        for pod in surplus:
            pod.delete()
            if not self._is_parallel:
                pod.wait_gone()
        for pod in surplus:
            self._leave(pod)

    def take(self, manifest: Manifest) -> None:
        """Roll to a manifest where its pods would be others."""
        is_same = manifest["spec"]["template"] == self._manifest["spec"]["template"]
        self._manifest = manifest
        if not is_same:
            self.roll()

    def roll(self) -> None:
        """Replace each pod."""
        for number in reversed(range(len(self.pods))):
            pod = self.pods[number]
            pod.delete()
            pod.wait_gone()
            self.gone.append(pod)
            self.pods[number] = self._pod(number)
            wait_ready([self.pods[number]])

    @property
    def _is_parallel(self) -> bool:
        return bool(self._manifest["spec"].get("podManagementPolicy") == "Parallel")

    def _pod(self, number: int) -> Pod:
        name = f"{self._manifest['metadata']['name']}-{number}"
        folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self._folder))
        return Pod(name, _address(), self._manifest["spec"]["template"], self._objects, folder)

    def _leave(self, pod: Pod) -> None:
        pod.wait_gone()
        self.pods.remove(pod)
        self.gone.append(pod)


class Release:
    """What is installed of a chart, by component."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self.sets: dict[str, StatefulSet] = {}
        self._folder = folder
        self._objects = objects

    def __getitem__(self, component: str) -> StatefulSet:
        return self.sets[component]

    @property
    def pods(self) -> Sequence[Pod]:
        """All that are, or were."""
        return [pod for each in self.sets.values() for pod in each.all]

    def install(self, manifests: Sequence[Manifest]) -> None:
        """Begin all that is in the manifests, and wait until it is ready."""
        self._objects.take(manifests)
        self._run_jobs(manifests, "pre-install")
        for component, manifest in _stateful(manifests).items():
            self.sets[component] = StatefulSet(manifest, self._objects, self._folder)
            self.sets[component].scale(manifest["spec"].get("replicas", 1))
        self.wait_ready()
        self._run_jobs(manifests, "post-install")

    def upgrade(self, manifests: Sequence[Manifest]) -> None:
        """Roll what has changed, all StatefulSets at the same time. Replicas stay: they belong to
        whoever scales.
        """
        self._objects.take(manifests)
        self._run_jobs(manifests, "pre-upgrade")
        with ThreadPoolExecutor() as threads:
            rolls = [
                threads.submit(self.sets[component].take, manifest)
                for component, manifest in _stateful(manifests).items()
            ]
            for each in rolls:
                each.result()
        self._run_jobs(manifests, "post-upgrade")

    def _run_jobs(self, manifests: Sequence[Manifest], hook: str) -> None:
        """Run the Jobs of a hook, each to its end. Fails where one does."""
        hooked = [each for each in manifests if hook in hooks(each) and each["kind"] == "Job"]
        for job in hooked:
            name = job["metadata"]["name"]
            folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self._folder))
            pod = Pod(name, _address(), job["spec"]["template"], self._objects, folder)
            pod.join()
            assert [each.code for each in pod.exits] == [0], f"{name}: {pod.log}"

    def wait_ready(self) -> None:
        """Return once all pods that are there are ready."""
        wait_ready([pod for each in self.sets.values() for pod in each.pods])

    def uninstall(self) -> None:
        """Ask all pods to go; return once they are gone."""
        for each in self.sets.values():
            for pod in each.pods:
                pod.delete()
        for each in self.sets.values():
            each.scale(0)


@contextmanager
def release(folder: Path, objects: Objects) -> Iterator[Release]:
    """A release whose pods do not outlive the test; where it fails, what they did is printed."""
    require_sandbox()
    folder.mkdir()
    installed = Release(folder, objects)
    try:
        yield installed
    except BaseException:
        for pod in installed.pods:
            did = "\n".join(f"{each.at_ms} {each.what}" for each in pod.events)
            print(f"== {pod.name}\n{did}\n{pod.log[-3000:]}")
        raise
    finally:
        for pod in installed.pods:
            pod.end()


def hooks(manifest: Manifest) -> Sequence[str]:
    """Of the release's life, when the object is made; none where it simply belongs to it."""
    said = manifest["metadata"].get("annotations") or {}
    return str(said.get("helm.sh/hook", "")).split(",")


def _stateful(manifests: Sequence[Manifest]) -> Mapping[str, Manifest]:
    return {_component(each): each for each in manifests if each["kind"] == "StatefulSet"}


def _component(manifest: Mapping[str, Any]) -> str:
    return str(manifest["spec"]["template"]["metadata"]["labels"][COMPONENT])


def _address() -> str:
    """One on loopback that nobody else is likely to have chosen."""
    return ".".join(map(str, [127, *(random.randint(1, 254) for _ in range(3))]))


def wait_ready(pods: Sequence[Pod], deadline_s: float = READY_S) -> None:
    """Return once all are ready; fails with what one said."""
    for pod in pods:
        try:
            wait_until(partial(_may_go_on, pod), f"{pod.name} is ready", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{pod.log[-3000:]}") from None


def _may_go_on(pod: Pod) -> bool:
    assert pod.restarts < MANY, f"{pod.name} ends again and again"
    return pod.is_ready
