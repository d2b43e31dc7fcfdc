"""Every metric, declared once. Dashboards and rules are tested against this file.

Names follow Prometheus: a unit at the end, ``_total`` for counters. ``camera`` is the only label
that grows with an installation.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

AGE_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
SERVICE_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._ingest()
        self._segment()
        self._watch()
        self._notify()

    def _ingest(self) -> None:
        self.frames_offered = self._counter("frames_offered", "frames offered by ingest", "camera")
        self.frames_dropped = self._counter(
            "frames_dropped", "frames that ingest turned into a gap", "camera", "reason"
        )
        self.camera_connects = self._counter("camera_connects", "epochs opened", "camera")
        self.camera_live = Gauge(
            "maskstream_camera_live", "1 while pictures come", ["camera"], registry=self.registry
        )

        self.reloads = self._counter(
            "reloads", "changed configurations: taken or refused", "outcome"
        )
        self.camera_condition = Gauge(
            "maskstream_camera_condition",
            "1 while a condition of a live camera holds: lost, frozen, black, moved, …",
            ["camera", "condition"],
            registry=self.registry,
        )
        self.camera_skew = Gauge(
            "maskstream_camera_skew_seconds",
            "how far a camera's clock is ahead of ours",
            ["camera"],
            registry=self.registry,
        )

    def forget(self, camera: str) -> None:
        """Say no more how a live camera is: another process runs it, or none, or it is another."""
        self.camera_live.remove(camera)
        self.camera_condition.remove_by_labels({"camera": camera})
        self.camera_skew.remove(camera)

    def _segment(self) -> None:
        self.results = self._counter("results", "results written", "camera")
        self.gaps = self._counter("gaps", "frames that got a gap", "camera", "reason")
        self.instances = self._counter("instances", "instances found", "camera")
        self.result_age = self._histogram(
            "result_age_seconds",
            "arrival at ingest until a result is made",
            AGE_BUCKETS_S,
            "camera",
        )
        self.batch_size = self._histogram("batch_size_views", "views in a batch", BATCH_BUCKETS)
        self.batch_service = self._histogram(
            "batch_service_seconds", "a batch in the model", SERVICE_BUCKETS_S
        )
        self.dead_letters = self._counter("dead_letters", "records not handled", "topic", "reason")

    def _watch(self) -> None:
        self.alerts = self._counter("alerts", "changes of alerts", "rule", "state")
        self.duplicates = self._counter("duplicates", "terminals that came again", "camera")

    def _notify(self) -> None:
        self.deliveries = self._counter(
            "deliveries", "tries to deliver an alert", "endpoint", "outcome"
        )
        self.snapshots = self._counter(
            "snapshots", "pictures of alerts: stored, or why not", "outcome"
        )
        self.deliveries_pending = Gauge(
            "maskstream_deliveries_pending",
            "alerts that an endpoint has not taken yet",
            ["endpoint"],
            registry=self.registry,
        )
        self.endpoint_gone = Gauge(
            "maskstream_endpoint_gone",
            "1 once an endpoint answered 410: nothing is sent to it until notify starts again",
            ["endpoint"],
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"maskstream_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"maskstream_{name}", text, labels, buckets=buckets, registry=self.registry
        )
