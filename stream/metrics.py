"""Every metric, declared once. Dashboards and rules are tested against this file.

Names follow Prometheus: a unit at the end, ``_total`` for counters. The labels ``camera``,
``rule``, ``endpoint``, ``partition`` and ``gpu`` grow with an installation; `stream.declared` says
what others may be where that is known.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Literal, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from stream import tracing
from stream.camera_states import CameraStates
from stream.declared import (
    AGE_BUCKETS_S,
    BATCH_BUCKETS,
    DELIVERY_BUCKETS_S,
    FINITE,
    INSTANCE_BUCKETS,
    IOU_BUCKETS,
    PREFIX,
    SERVICE_BUCKETS_S,
    SHADOW,
    Arrival,
    Declared,
)
from stream.open_alerts import OpenAlerts
from stream.saturation import smoothed
from stream.stages import Stage

T = TypeVar("T")


class Bound(dict[str, T]):
    """The children of a family by its one label: each is looked up once, as that takes longer than
    counting. For labels of few values, or whose values stay.
    """

    def __init__(self, child: Callable[[str], T]) -> None:
        super().__init__()
        self._child = child

    def __missing__(self, label: str) -> T:
        child = self[label] = self._child(label)
        return child


class Metrics:
    """The metrics of one process, in a registry of their own; all names begin with ``prefix``."""

    def __init__(self, prefix: str = PREFIX) -> None:
        # For the whole interpreter, as the client can do it no other way. When a series began is
        # one more for each counter and histogram of a camera, which nothing of ours asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.declared: list[Declared] = []
        """In the order of the reference."""
        self._role, self._prefix = "", prefix
        for name, declare in (
            ("every role", self._process),
            ("ingest", self._ingest),
            ("segment", self._segment),
            ("watch", self._watch),
            ("notify", self._notify),
            ("web", self._web),
            ("compare", self._compare),
        ):
            self._role = name
            declare()

    def _process(self) -> None:
        self.build = self._gauge(
            "build_info", "always 1: what runs here", "version", "python", "role"
        )
        self.logged = self._counter(
            "logged",
            "warnings and errors, with those that the log leaves out as repeats",
            "level",
        )
        self.stage = self._histogram(
            "stage_seconds",
            "time that a camera's frame, or the batch that it is in, spends in a stage",
            SERVICE_BUCKETS_S,
            "stage",
        )
        self._stages = Bound[Histogram](self.stage.labels)
        self.frame_age = self._histogram(
            "frame_age_seconds",
            "arrival at ingest until a frame is here; of live cameras, as those of files wait for "
            "their turn",
            AGE_BUCKETS_S,
            "at",
        )
        self._ages = Bound[Histogram](self.frame_age.labels)
        self.lag = self._gauge(
            "lag_records",
            "records of a partition that this process has to read and has not committed",
            "topic",
            "partition",
        )
        self._lagging: AbstractSet[tuple[str, str]] = set()
        self.reloads = self._counter(
            "reloads", "changed configurations: taken or refused", "outcome"
        )

    def _ingest(self) -> None:
        self.frames_offered = self._counter("frames_offered", "frames offered by ingest", "camera")
        self.frames_dropped = self._counter(
            "frames_dropped", "frames that ingest turned into a gap", "camera", "reason"
        )
        self.camera_connects = self._counter("camera_connects", "epochs opened", "camera")
        self.camera_reconnects = self._counter(
            "camera_reconnects", "times a camera that was lost came back", "camera"
        )
        self.camera_state = self._camera_states()
        self.camera_condition = self._gauge(
            "camera_condition",
            "1 while a condition of a live camera holds: lost, frozen, black, moved, …",
            "camera",
            "condition",
        )
        self.camera_skew = self._gauge(
            "camera_skew_seconds", "how far a camera's clock is ahead of ours", "camera"
        )

    def _segment(self) -> None:
        self.results = self._counter("results", "results written", "camera")
        self.gaps = self._counter(
            "gaps", "frames that segment turned into a gap", "camera", "reason"
        )
        self.instances = self._counter("instances", "instances found", "camera")
        self.frame_instances = self._histogram(
            "frame_instances", "instances, each with its mask, in a result", INSTANCE_BUCKETS
        )
        self.result_age = self._histogram(
            "result_age_seconds",
            "arrival at ingest until a result is made; of live cameras",
            AGE_BUCKETS_S,
            "camera",
        )
        self.batch_size = self._histogram(
            "batch_size_views", "views in a batch with a camera's frame", BATCH_BUCKETS
        )
        self.batch_service = self._histogram(
            "batch_service_seconds",
            "inference: a batch with a camera's frame in the model, from views to masks",
            SERVICE_BUCKETS_S,
        )
        self.capacity = self._gauge(
            "capacity_frames_per_second",
            "what this process does when it is saturated: measured at warm-up, then in service. "
            "`segment --mode archive` tells none, as it takes no load of live cameras",
        )
        self.registry.unregister(self.capacity)
        self._rate: float | None = None
        self.model = self._gauge(
            "model_info", "always 1: the model that is loaded", "model", "hash", "precision"
        )
        self.dead_letters = self._counter("dead_letters", "records not handled", "topic", "reason")
        self.gpu_busy = self._gauge(
            "gpu_busy_ratio", "share of the last second in which the GPU worked", "gpu"
        )
        self.gpu_memory_used = self._gauge("gpu_memory_used_bytes", "memory in use", "gpu")
        self.gpu_memory = self._gauge("gpu_memory_bytes", "memory that the GPU has", "gpu")

    def _watch(self) -> None:
        self.alerts = self._counter("alerts", "changes of alerts", "rule", "state")
        self.alerts_open = self._gauge(
            "alerts_open", "alerts that are open now, on cameras heard of since the start", "rule"
        )
        self.open_alerts = OpenAlerts(self.alerts_open)
        self.duplicates = self._counter("duplicates", "terminals that came again", "camera")
        self.frames_missing = self._counter(
            "frames_missing",
            "frames that neither a result nor a gap tells of: the audit does not balance",
            "camera",
        )

    def _notify(self) -> None:
        self.deliveries = self._counter(
            "deliveries", "tries to deliver an alert", "endpoint", "outcome"
        )
        self.delivery = self._histogram(
            "delivery_seconds", "a try to deliver an alert", DELIVERY_BUCKETS_S, "endpoint"
        )
        self.delivered_age = self._histogram(
            "delivered_age_seconds",
            "arrival of the frame that an alert is about until it was taken; of live cameras",
            DELIVERY_BUCKETS_S,
            "endpoint",
        )
        self.deliveries_pending = self._gauge(
            "deliveries_pending", "alerts that an endpoint has not taken yet", "endpoint"
        )
        self.deliveries_oldest = self._gauge(
            "deliveries_oldest_seconds",
            "how long the oldest alert waits for an endpoint to take it; 0 where none waits",
            "endpoint",
        )
        self.snapshots = self._counter(
            "snapshots", "pictures of alerts: stored, or why not", "outcome"
        )
        self.endpoint_gone = self._gauge(
            "endpoint_gone",
            "1 once an endpoint answered 410: nothing is sent to it until notify starts again",
            "endpoint",
        )

    def _web(self) -> None:
        self.requests = self._counter("requests", "requests to the HTTP API", "route", "status")
        self.request = self._histogram(
            "request_seconds", "a request to the HTTP API", SERVICE_BUCKETS_S, "route"
        )
        self.viewers = self._gauge("viewers", "browsers that look at the live page")

    def _compare(self) -> None:
        self._prefix = SHADOW
        self.compared_frames = self._counter(
            "compared_frames", "frames of which model and shadow have a result", "camera"
        )
        self.unpaired = self._counter(
            "unpaired_frames",
            "frames of which only this side has a result, and why the other has none: its gap, "
            "nothing in time, or nothing at all",
            "camera",
            "side",
            "reason",
        )
        self.compared_instances = self._counter(
            "compared_instances",
            "instances of compared frames: found by both, new in the shadow, lost by it",
            "camera",
            "outcome",
        )
        self.compared_labels = self._counter(
            "compared_labels", "the same by what they are", "label", "outcome"
        )
        self.compared_scores = self._counter(
            "compared_scores", "sum of the scores of instances that both found", "camera", "side"
        )
        self.compared_iou = self._histogram(
            "compared_iou_ratio", "IoU of the masks of what both found", IOU_BUCKETS, "label"
        )

    def spent(self, stage: Stage, us: int) -> None:
        """Say how long, in microseconds, a frame or its batch was in a stage.

        The trace of the work under way, if it has one, is an example of that.
        """
        self._stages[stage].observe(us / 1e6, tracing.exemplar())

    def aged(self, at: Arrival, us: int) -> None:
        """Say how old, in microseconds since its arrival at ingest, a live frame is somewhere.

        The trace of the work under way, if it has one, is an example of that.
        """
        self._ages[at].observe(us / 1e6, tracing.exemplar())

    def served(self, views: int, us: int) -> None:
        """Say how long, in microseconds, the model was busy with a batch of so many views.

        The trace of the work under way, if it has one, is an example of that.
        """
        self.batch_size.observe(views)
        self.batch_service.observe(us / 1e6, tracing.exemplar())

    def behind(self, lags: Mapping[str, Mapping[str, int]]) -> None:
        """Say what waits for this process, by topic and partition, and of nothing else any more."""
        told = {(topic, part): lag for topic, parts in lags.items() for part, lag in parts.items()}
        for gone in self._lagging - told.keys():
            self.lag.remove(*gone)
        for place, lag in told.items():
            self.lag.labels(*place).set(lag)
        self._lagging = told.keys()

    def expects_dead_letters(self, *topics: str) -> None:
        """Have a 0 for each reason why a record of ``topics`` may not be handled."""
        for topic in topics:
            for reason in FINITE["dead_letters.reason"]:
                self.dead_letters.labels(topic, reason)

    def expects_alerts(self, rules: Iterable[str]) -> None:
        """Have a 0 for each state that an alert of ``rules`` may come into."""
        for rule in rules:
            for state in FINITE["alerts.state"]:
                self.alerts.labels(rule, state)

    def expects_gaps(self, camera: str) -> None:
        """Have a 0 for each reason why segment may turn a frame of a camera into a gap."""
        for reason in FINITE["gaps.reason"]:
            self.gaps.labels(camera, reason)

    def saturated(self, rate: float) -> None:
        """Say how many frames a second this process made while work always waited for it."""
        if self._rate is None:  # until it is known it has no sample: 0 would scale without end
            self.registry.register(self.capacity)
        self._rate = smoothed(self._rate, rate)
        self.capacity.set(self._rate)

    def forget_compared(self, camera: str) -> None:
        """Say no more how model and shadow agreed on a camera that is gone."""
        self.compared_frames.remove_by_labels({"camera": camera})
        for family in (self.unpaired, self.compared_instances, self.compared_scores):
            family.remove_by_labels({"camera": camera})

    def forget(self, camera: str) -> None:
        """Say no more how a live camera is: another process runs it, or none, or it is another."""
        self.camera_state.forget(camera)
        self.camera_condition.remove_by_labels({"camera": camera})
        self.camera_skew.remove(camera)

    def forget_counts(self, camera: str) -> None:
        """Say no more what segment made of a camera: another process goes on with it."""
        self.gaps.remove_by_labels({"camera": camera})
        for family in (self.results, self.instances, self.result_age):
            family.remove(camera)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self._declare(f"{name}_total", "counter", text, labels)
        return Counter(f"{self._prefix}{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        self._declare(name, "gauge", text, labels)
        return Gauge(f"{self._prefix}{name}", text, labels, registry=self.registry)

    def _camera_states(self) -> CameraStates:
        text = "1 for the state that a camera is in, 0 for others"
        self._declare("camera_state", "gauge", text, ("camera", "state"))
        states = CameraStates(f"{self._prefix}camera_state", text)
        self.registry.register(states)
        return states

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        self._declare(name, "histogram", text, labels, buckets)
        return Histogram(
            f"{self._prefix}{name}", text, labels, buckets=buckets, registry=self.registry
        )

    def _declare(
        self,
        name: str,
        kind: Literal["counter", "gauge", "histogram"],
        text: str,
        labels: tuple[str, ...],
        buckets: tuple[float, ...] = (),
    ) -> None:
        declared = Declared(f"{self._prefix}{name}", kind, self._role, labels, text, buckets)
        self.declared.append(declared)
