"""*Pipeline*: is it keeping up, and which stage is slow."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.common import LAG, REPLICAS, STAGES, quantile, quantiles, rate
from dashboards.frame import CAMERAS, PODS, SITE, frame
from dashboards.look import Levels
from dashboards.panels import Query, View, lines, rows

AGE = "maskstream_frame_age_seconds"


def build() -> Dashboard:
    """The dashboard."""
    board = frame("pipeline", "Pipeline", "Is it keeping up, and which stage is slow.")
    board.with_row(Row("Is it keeping up"))
    for panel in (lines(_CAPACITY), lines(_FRAMES), lines(_LAG)):
        board.with_panel(panel)
    board.with_row(Row("How old, and where the time goes"))
    board.with_panel(lines(_AGE_P50, traced=True))
    board.with_panel(lines(_AGE_P95, traced=True))
    board.with_panel(lines(_AGE_P99, traced=True))
    board.with_panel(lines(_INFERENCE, traced=True))
    board.with_panel(lines(_STAGES_P95, traced=True))
    board.with_panel(lines(_STAGES_BUSY, stacked=True))
    board.with_row(Row("What is not looked at, and what goes wrong"))
    for panel in (lines(_SKIPPED, stacked=True), lines(_DEAD_LETTERS), lines(_LOGGED)):
        board.with_panel(panel)
    for panel in (lines(_DUPLICATES), lines(_RELOADS), lines(_PARTITIONS)):
        board.with_panel(panel)
    board.with_row(Row("Processes"))
    board.with_panel(lines(_REPLICAS))
    board.with_panel(lines(_RESTARTS))
    board.with_panel(rows(_VERSIONS, _VERSIONS_COLUMNS))
    for view in (_CPU, _MEMORY, _FILES):
        board.with_panel(lines(view))
    board.with_row(Row("Page and HTTP API"))
    for panel in (lines(_REQUESTS), lines(_REQUEST), lines(_VIEWERS)):
        board.with_panel(panel)
    return board


_CAPACITY = View(
    "Offered, and what could be done",
    "Frames a second that cameras offer, and that all segmenters can do. Where the lines "
    "meet, live frames begin to be skipped: add replicas of segment.",
    "MaskstreamFramesSkipped",
    "suffix: frames/s",
    [
        Query(f"sum(namespace_camera:maskstream_frames_offered:rate2m{{{SITE}}})", "offered"),
        Query(f"sum(maskstream_capacity_frames_per_second{{{PODS}}})", "capacity"),
    ],
)

_FRAMES = View(
    "Results a second, by pod",
    "How many frames each segmenter answers with a result. One that stays low beside others "
    "has few partitions, or a slow card.",
    "MaskstreamLagGrowing",
    "suffix: frames/s",
    [Query(rate("maskstream_results_total", CAMERAS, "pod"), "{{pod}}")],
)

_LAG = View(
    "Records that wait, by topic",
    "What is written and not done yet: frames wait for segment, masks for watch, alerts for "
    "notify. A line that only rises is a role that is too slow or hangs.",
    "MaskstreamLagGrowing",
    "short",
    [LAG],
)


def _age(name: str, part: float) -> View:
    return View(
        f"Age of a frame at each place ({name})",
        "Of live cameras: from arrival at ingest until it was published, received by segment, its "
        "result acknowledged, read by watch, an alert about it acknowledged. What lies between two "
        "lines is spent there.",
        "MaskstreamLatencyHigh",
        "s",
        [quantile(part, AGE, PODS, "at")],
        Levels(0.5, 1.0),
    )


_AGE_P50 = _age("p50", 0.5)

_AGE_P95 = _age("p95", 0.95)

_AGE_P99 = _age("p99", 0.99)

_INFERENCE = View(
    "Inference latency",
    "A batch in the model, from views to masks. Red above 500 ms: the dashboard GPU and model "
    "says on which pod, and how large the batches are.",
    "MaskstreamInferenceSlow",
    "s",
    quantiles("maskstream_batch_service_seconds", PODS),
    Levels(bad=0.5),
)

_STAGES_P95 = View(
    "Time in each stage (p95)",
    "One in twenty frames takes longer than this in a stage. The highest line is where to "
    "look; `segment_wait` is time for a place in a batch, so too few segmenters. Files wait for "
    "their turn there, and in `ingest_publish`.",
    "MaskstreamLatencyHigh",
    "s",
    [quantile(0.95, STAGES, PODS, "stage")],
)

_STAGES_BUSY = View(
    "Time in each stage, of all pods",
    "Seconds of each stage a second: 2 means that two frames are always in it. What is widest "
    "takes most, and is what faster work would help.",
    "MaskstreamLatencyHigh",
    "none",
    [Query(rate(f"{STAGES}_sum", PODS, "stage"), "{{stage}}")],
)

_SKIPPED = View(
    "Frames without a result, by reason",
    "stale: too old to be worth a look. overflow: brokers took too few. expired: deleted "
    "unread. dead_letter: not readable. quarantined: its camera sends mostly such.",
    "MaskstreamFramesSkipped",
    "suffix: frames/s",
    [
        Query(
            f"sum by (reason) (namespace_camera_reason:maskstream_gaps:rate2m{{{SITE}}})",
            "{{reason}}",
        ),
    ],
)

_DEAD_LETTERS = View(
    "Dead letters, by topic and reason",
    "Records that could not be handled, a second. They lie untouched in dead-letters with the "
    "error in words; out_of_memory is the card, undelivered an endpoint.",
    "MaskstreamErrorRateHigh",
    "cps",
    [Query(rate("maskstream_dead_letters_total", PODS, "topic", "reason"), "{{topic}} {{reason}}")],
)

_LOGGED = View(
    "Warnings and errors in the log",
    "Lines a second, by pod and level. A rise says that the log of this pod is worth reading.",
    "MaskstreamErrorRateHigh",
    "cps",
    [
        Query(
            f"topk(10, {rate('maskstream_logged_total', PODS, 'pod', 'level')})",
            "{{pod}} {{level}}",
        )
    ],
)

_DUPLICATES = View(
    "Answers that came again",
    "Results and gaps that watch had seen already, a second, by camera (the ten highest). "
    "Some after a crash are harmless; all the time means that commits fail.",
    "MaskstreamPodRestarting",
    "cps",
    [Query(f"topk(10, {rate('maskstream_duplicates_total', CAMERAS, 'camera')})", "{{camera}}")],
)

_RELOADS = View(
    "Changes of the configuration",
    "Edits of rules, zones and cameras that were taken or refused, in the last 5 minutes, as the "
    "process counts them that saw most: each reads the file for itself. Refused: the old ones "
    "stay, and the log says what `maskstream check` would.",
    "MaskstreamRoleDown",
    "none",
    [
        Query(
            "sum by (outcome) (max by (namespace, outcome) "
            f"(increase(maskstream_reloads_total{{{PODS}}}[5m])))",
            "{{outcome}}",
        ),
    ],
)

_PARTITIONS = View(
    "Records that wait, the ten longest partitions",
    "One partition far above others has a camera that offers too much, or a process that "
    "hangs; all alike means too little capacity.",
    "MaskstreamLagGrowing",
    "short",
    [
        Query(
            f"topk(10, sum by (topic, partition) (maskstream_lag_records{{{PODS}}}))",
            "{{topic}} {{partition}}",
        ),
    ],
)

_REPLICAS = View(
    "Replicas, wanted and ready",
    "On Kubernetes: how many pods of each role there should be, and how many are ready. At "
    "their maximum with frames skipped: raise the maximum.",
    "MaskstreamAtMaxReplicas",
    "none",
    REPLICAS,
)

_RESTARTS = View(
    "Restarts within 15 minutes",
    "Processes that began again. `kubectl logs --previous` says why "
    "the last one ended; its exit code has a name in `maskstream --help`.",
    "MaskstreamPodRestarting",
    "none",
    [
        Query(
            f"topk(10, namespace_pod:maskstream_restarts:increase15m{{{SITE}}})",
            "{{pod}}",
        ),
    ],
    Levels(bad=1),
)

_VERSIONS_COLUMNS = {"role": "Role", "version": "Version", "python": "Python", "Value": "Processes"}

_VERSIONS = View(
    "Versions",
    "What runs, by role. Two versions of a role are a rollout that goes on, or that stopped "
    "in the middle; consumers are upgraded before producers.",
    "MaskstreamRoleDown",
    "none",
    [Query(f"count by (role, version, python) (maskstream_build_info{{{PODS}}})")],
)


def _own(metric: str) -> str:
    """A metric that any Prometheus client has, of our processes alone."""
    return (
        f"topk(10, sum by (pod) ({metric} and on (namespace, pod) maskstream_build_info{{{PODS}}}))"
    )


_CPU = View(
    "CPU, the ten busiest pods",
    "Cores that a pod keeps busy. At its limit with frames skipped: more cores, or more pods.",
    "MaskstreamFramesSkipped",
    "suffix: cores",
    [Query(_own(f"rate(process_cpu_seconds_total{{{PODS}}}[$__rate_interval])"), "{{pod}}")],
)

_MEMORY = View(
    "Memory, the ten largest pods",
    "What is not swapped out. It grows with cameras and partitions; a line that only rises with "
    "neither is a leak, and ends in a restart.",
    "MaskstreamPodRestarting",
    "bytes",
    [Query(_own(f"process_resident_memory_bytes{{{PODS}}}"), "{{pod}}")],
)

_FILES = View(
    "Open files, the ten highest pods",
    "Connections count as well. A line that only rises, with no more cameras or viewers, is a "
    "leak.",
    "MaskstreamPodRestarting",
    "none",
    [Query(_own(f"process_open_fds{{{PODS}}}"), "{{pod}}")],
)

_REQUESTS = View(
    "Requests, by route and status",
    "To the HTTP API, a second. 429: more pictures than the model takes. Other 4xx are callers' "
    "mistakes, 5xx ours: read the log of web.",
    "MaskstreamRoleDown",
    "reqps",
    [Query(rate("maskstream_requests_total", PODS, "route", "status"), "{{route}} {{status}}")],
)

_REQUEST = View(
    "Time of a request (p95), by route",
    "One in twenty requests takes longer than this. A picture waits for the model, and live "
    "cameras go first: high where that is busy.",
    "MaskstreamRoleDown",
    "s",
    [quantile(0.95, "maskstream_request_seconds", PODS, "route")],
)

_VIEWERS = View(
    "Browsers that look",
    "How many live pages are open. Each is sent every picture of the cameras that it shows.",
    "MaskstreamRoleDown",
    "none",
    [Query(f"sum(maskstream_viewers{{{PODS}}})", "viewers")],
)
