"""Which state each camera is in, as a gauge."""

from collections.abc import Iterator, Mapping
from typing import get_args

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stream.types import CameraState


class CameraStates(Collector):
    """A gauge with the labels ``camera`` and ``state``: 1 for the state of a camera, 0 for others.

    A scrape reads in another thread while states change. With a child for each state it would now
    and then see a camera in two states or in none.
    """

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._states: Mapping[str, CameraState] = {}
        """Replaced as a whole: what a scrape has begun to read stays as it is."""

    def tell(self, camera: str, state: CameraState) -> None:
        """A camera is in a state."""
        self._states = {**self._states, camera: state}

    def forget(self, camera: str) -> None:
        """Say nothing of a camera any more."""
        self._states = {name: state for name, state in self._states.items() if name != camera}

    def collect(self) -> Iterator[Metric]:
        """As the registry asks for it."""
        family = GaugeMetricFamily(self._name, self._text, labels=("camera", "state"))
        for camera, state in self._states.items():
            for each in get_args(CameraState):
                family.add_metric((camera, each), float(each == state))
        yield family
