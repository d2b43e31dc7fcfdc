"""*Overview*: is anything wrong, and where next to look. The first row is read in ten seconds."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.common import (
    FIRING,
    LAG,
    REPLICAS,
    STAGES,
    TELLING,
    UNTOLD,
    quantile,
    quantiles,
    rate,
)
from dashboards.frame import CAMERAS, PODS, SITE, frame
from dashboards.look import GOOD, Levels
from dashboards.panels import Query, View, lines, number, rows

NONE = Levels(bad=1)


def build() -> Dashboard:
    """The dashboard."""
    board = frame("overview", "Overview", "Is anything wrong, and where to look next.")
    board.with_row(Row("Now: blue is well, orange wants a look, red wants somebody"))
    _now(board)
    board.with_row(Row("Through the last hour"))
    _through(board)
    return board


def _now(board: Dashboard) -> None:
    for panel in (
        number(_ALARMS, none="none"),
        number(_CAMERAS, none="no ingest"),
        number(_LOAD, none="no live camera"),
        number(_AGE, none="no results"),
        number(_stage(), none="no frames", named=True),
        number(_GPU, none="no GPU"),
        number(_SKIPPED, none="no frames"),
        number(_ERRORS, none="no frames"),
        number(_MISSING, none="no watch"),
        number(_LAG, none="no lag told"),
        number(_WAITING, none="not told"),
        number(_delivered(), none="not told"),
    ):
        board.with_panel(panel)


def _number(title: str, means: str, section: str, unit: str, *told: Query | Levels) -> View:
    queries = [each for each in told if isinstance(each, Query)]
    (levels,) = (each for each in told if isinstance(each, Levels))
    return View(title, means, section, unit, queries, levels, width=4, height=4)


_ALARMS = _number(
    "Alarms that fire",
    "How many alarms of rules/alarms.yaml fire now. Red: the table below names them; each has a "
    "section in the runbook.",
    "MaskstreamRoleDown",
    "none",
    Query(f"count({FIRING})"),
    NONE,
)

_CAMERAS = _number(
    "Cameras not live",
    "Cameras that are connecting, lost or failed. Red: the dashboard Cameras says which, "
    "`maskstream cameras status` why.",
    "MaskstreamCameraLost",
    "none",
    Query(f'sum(maskstream_camera_state{{{CAMERAS}, state=~"connecting|lost|failed"}})'),
    NONE,
)

_LOAD = _number(
    "Load of live cameras",
    "Frames that live cameras offer, of those that all segmenters can do. Above 100 % frames "
    "are skipped: add replicas of segment, or lower the fps of cameras.",
    "MaskstreamFramesSkipped",
    "percentunit",
    Query(f"max(namespace:maskstream_load:ratio{{{SITE}}})"),
    Levels(0.8, 1.0),
)

_AGE = _number(
    "Age of what you see (p99)",
    "One in a hundred results of live cameras is older than this when it is made. Red: look "
    "which stage is slow, next to this.",
    "MaskstreamLatencyHigh",
    "s",
    Query(f"max(namespace:maskstream_result_age_seconds:p99_rate5m{{{SITE}}})"),
    Levels(0.5, 1.0),
)


def _stage() -> View:
    slowest = quantile(0.95, STAGES, PODS, "stage")
    return _number(
        "Slowest stage (p95)",
        "Where a frame spends most of its time: one in twenty takes longer than this there. Files "
        "wait for their turn in `ingest_publish` and `segment_wait`. Pipeline has all stages.",
        "MaskstreamLatencyHigh",
        "s",
        Query(f"topk(1, {slowest.expr})", "{{stage}}"),
        Levels(0.2, 0.5),
    )


_GPU = _number(
    "GPU busy",
    "The share of the last second in which GPUs worked, the mean of all. Near 100 % with frames "
    "skipped: add a card. Low with frames skipped: the CPU beside it is the limit.",
    "MaskstreamInferenceSlow",
    "percentunit",
    Query(f"avg(maskstream_gpu_busy_ratio{{{PODS}}})"),
    Levels(0.95),
)

_SKIPPED = _number(
    "Frames skipped",
    "The share of live cameras' frames that were too old to be worth a look, or could not be "
    "sent. Above 1 % add replicas of segment.",
    "MaskstreamFramesSkipped",
    "percentunit",
    Query(f"max(namespace:maskstream_skipped:ratio_rate2m{{{SITE}}})"),
    Levels(0.005, 0.01),
)

_ERRORS = _number(
    "Frames in error",
    "The share of frames that could not be handled. Above 5 %: the reasons stand on the "
    "dashboard Pipeline, the records lie in dead-letters.",
    "MaskstreamErrorRateHigh",
    "percentunit",
    Query(f"max(namespace:maskstream_errors:ratio_rate2m{{{SITE}}})"),
    Levels(0.01, 0.05),
)

_MISSING = _number(
    "Frames missing",
    "Frames of the last 15 minutes of which neither a result nor a gap tells. Anything but 0 "
    "is a fault: run `maskstream audit`.",
    "MaskstreamFramesMissing",
    "none",
    Query(f"sum(namespace_camera:maskstream_frames_missing:increase15m{{{SITE}}})"),
    NONE,
)

_LAG = _number(
    "Records that wait",
    "Records of all topics that were written and are not done yet. Files alone make up to 512 "
    "a camera; what counts is whether it grows.",
    "MaskstreamLagGrowing",
    "short",
    Query(f"sum(maskstream_lag_records{{{PODS}}})"),
    Levels(base=GOOD),
)

_WAITING = _number(
    "Oldest alert undelivered",
    "For how long an endpoint has not taken an alert. Red after 5 minutes: see what it "
    "answers on the dashboard Alerts.",
    "MaskstreamAlertUndelivered",
    "s",
    UNTOLD,
    Levels(60, 300),
)


def _delivered() -> View:
    tries = f'maskstream_deliveries_total{{{TELLING}, outcome="delivered"}}'
    return _number(
        "Alerts delivered",
        "How many alerts endpoints took in the time that is shown. 0 with alerts opened: look at "
        "the dashboard Alerts.",
        "MaskstreamAlertUndelivered",
        "short",
        Query(f"sum(increase({tries}[$__range]))"),
        Levels(base=GOOD),
    )


def _through(board: Dashboard) -> None:
    board.with_panel(rows(_FIRING, _FIRING_COLUMNS))
    board.with_panel(lines(_CAMERAS_BY_STATE, stacked=True))
    board.with_panel(lines(_FRAMES))
    board.with_panel(lines(_AGES, traced=True))
    board.with_panel(lines(_SHARES))
    board.with_panel(lines(_LAGS))
    board.with_panel(lines(_PROCESSES))
    board.with_panel(lines(_REPLICAS))
    board.with_panel(lines(_MODEL, traced=True))
    board.with_panel(lines(_ALERTS))


_FIRING = View(
    "Alarms that fire, by name",
    "Which alarms fire, how grave they are and what they are about. The runbook has a section for "
    "each name; with several begin with a role that is down.",
    "MaskstreamRoleDown",
    "none",
    [Query(f"max by (alertname, severity, camera, endpoint, topic, role, pod) ({FIRING})")],
    Levels(bad=1),
)
_FIRING_COLUMNS = {
    "alertname": "Alarm",
    "severity": "Severity",
    "camera": "Camera",
    "endpoint": "Endpoint",
    "topic": "Topic",
    "role": "Role",
    "pod": "Pod",
    "Value": "Fires",
}

_CAMERAS_BY_STATE = View(
    "Cameras by state",
    "How many cameras are in which state. A step down in `live` for all at once is the "
    "network or ingest; for one it is that camera.",
    "MaskstreamCameraLost",
    "none",
    [Query(f"sum by (state) (namespace_state:maskstream_cameras:count{{{SITE}}})", "{{state}}")],
)

_FRAMES = View(
    "Frames a second",
    "Offered by cameras, answered with a result, and not looked at. Results fall behind what "
    "is offered where segment is too slow.",
    "MaskstreamFramesSkipped",
    "suffix: frames/s",
    [
        Query(f"sum(namespace_camera:maskstream_frames_offered:rate2m{{{SITE}}})", "offered"),
        Query(f"sum(namespace_camera:maskstream_results:rate2m{{{SITE}}})", "results"),
        Query(f"sum(namespace_camera_reason:maskstream_gaps:rate2m{{{SITE}}})", "gaps"),
    ],
)

_AGES = View(
    "Age of a frame on its way (p95)",
    "From arrival at ingest until a frame of a live camera is at each place: what lies between "
    "two lines is spent there.",
    "MaskstreamLatencyHigh",
    "s",
    [quantile(0.95, "maskstream_frame_age_seconds", PODS, "at")],
    Levels(0.5, 1.0),
)

_SHARES = View(
    "Skipped and in error",
    "The share of frames without a result: skipped means a live one was too late, in error means "
    "it could not be handled. Alarms are at 1 % and 5 %.",
    "MaskstreamErrorRateHigh",
    "percentunit",
    [
        Query(f"max(namespace:maskstream_skipped:ratio_rate2m{{{SITE}}})", "skipped"),
        Query(f"max(namespace:maskstream_errors:ratio_rate2m{{{SITE}}})", "in error"),
    ],
    Levels(0.01, 0.05),
)

_LAGS = View(
    "Records that wait, by topic",
    "What is written and not done yet: frames wait for segment, masks for watch, alerts for "
    "notify. The topic that grows names the role that is too slow.",
    "MaskstreamLagGrowing",
    "short",
    [LAG],
)

_PROCESSES = View(
    "Processes by role",
    "How many of each role answer a scrape. A line that ends is a role that nobody does.",
    "MaskstreamRoleDown",
    "none",
    [Query(f"sum by (role) (namespace_role:maskstream_processes:count{{{SITE}}})", "{{role}}")],
)

_REPLICAS = View(
    "Replicas, wanted and ready",
    "On Kubernetes: how many pods of each role there should be, and how many are ready. Ready "
    "below wanted for long: `kubectl describe pod` says why.",
    "MaskstreamAtMaxReplicas",
    "none",
    REPLICAS,
)

_MODEL = View(
    "Inference latency",
    "A batch in the model, from views to masks. Red above 500 ms: smaller batches, fewer "
    "cameras, or more cards.",
    "MaskstreamInferenceSlow",
    "s",
    quantiles("maskstream_batch_service_seconds", PODS),
    Levels(bad=0.5),
)

_ALERTS = View(
    "Deliveries a minute, by outcome",
    "Tries to deliver alerts. `failed` is tried again; `given_up` is not, and lies in "
    "dead-letters.",
    "MaskstreamAlertUndelivered",
    "none",
    [Query(f"60 * {rate('maskstream_deliveries_total', TELLING, 'outcome')}", "{{outcome}}")],
)
