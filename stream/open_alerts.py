"""How many alerts are open, by rule, over the cameras that a process watches."""

from collections import defaultdict
from collections.abc import Mapping

from prometheus_client import Gauge


class OpenAlerts:
    """Keeps a gauge with the label ``rule`` true while cameras come, change and go."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._of_camera: dict[str, Mapping[str, int]] = {}
        self._of_rule: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def tell(self, camera: str, by_rule: Mapping[str, int]) -> None:
        """How many are open on a camera by each of its rules, those with none among them."""
        before = self._of_camera.get(camera, {})
        if before == by_rule:
            return
        self._of_camera[camera] = dict(by_rule)
        for rule in before.keys() - by_rule.keys():
            del self._of_rule[rule][camera]
        for rule, count in by_rule.items():
            self._of_rule[rule][camera] = count
        for rule in before.keys() | by_rule.keys():
            self._show(rule)

    async def forget(self) -> None:
        """Cameras may be another process's from now on; each that is still ours is told again."""
        self._gauge.clear()
        self._of_camera.clear()
        self._of_rule.clear()

    def _show(self, rule: str) -> None:
        if cameras := self._of_rule[rule]:
            self._gauge.labels(rule).set(sum(cameras.values()))
        else:
            self._gauge.remove(rule)
