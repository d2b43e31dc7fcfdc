"""What ``segment`` counts of each camera, while its records come to this process.

With as many processes as there are, cameras move from one to another; each would end up with the
figures of all of them.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from prometheus_client import Counter, Histogram

from stream import tracing
from stream.metrics import Bound, Metrics
from stream.ports import Clock, Member, Registry
from stream.specs import CameraSpec

SETTLED_S = 0.1
"""How often it is looked whether it is settled who has which cameras."""


class CameraCounts:
    """Counts results by camera. Gaps are counted where they are made; they are at 0 before."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._results = Bound[Counter](metrics.results.labels)
        self._instances = Bound[Counter](metrics.instances.labels)
        self._ages = Bound[Histogram](metrics.result_age.labels)
        """Of live cameras alone."""
        self._topics: dict[str, str] = {}
        """Of the cameras that are told of, the one on which each comes."""

    def comes(self, camera: str, topic: str) -> None:
        """Records of a camera come, or will."""
        if camera not in self._topics:
            self._metrics.expects_gaps(camera)
        self._topics[camera] = topic

    def result(self, camera: str, instances: int, age_us: int | None) -> None:
        """A result was made, at that age where the camera is live.

        The trace of the work under way, if it has one, is an example of the age.
        """
        self._results[camera].inc()
        self._instances[camera].inc(instances)
        if age_us is not None:
            self._ages[camera].observe(age_us / 1e6, tracing.exemplar())

    async def follow(self, members: Mapping[str, Member], registry: Registry, clock: Clock) -> None:
        """For ever: have a 0 for each fault of the cameras of ``registry`` that come to the
        ``members`` (by topic), and forget those that come to another process by now.
        """
        moved = asyncio.Event()
        for member in members.values():
            member.before_handover(partial(_set, moved))
        while True:
            moved.clear()
            while not all(member.is_assigned for member in members.values()):
                await clock.sleep(SETTLED_S)
            self._settle(members, registry.cameras)
            await moved.wait()

    def _settle(self, members: Mapping[str, Member], cameras: Mapping[str, CameraSpec]) -> None:
        listed = {name: topic_of(camera) for name, camera in cameras.items()}
        for camera, topic in (listed | self._topics).items():
            if topic in members and members[topic].owns(camera):
                self.comes(camera, topic)
            else:
                self._forget(camera)

    def _forget(self, camera: str) -> None:
        self._metrics.forget_counts(camera)
        for known in (self._results, self._instances, self._ages, self._topics):
            known.pop(camera, None)


async def _set(event: asyncio.Event) -> None:
    event.set()


def topic_of(camera: CameraSpec) -> str:
    """The topic on which the frames of a camera are."""
    return "frames-archive" if camera.mode == "archive" else "frames"
