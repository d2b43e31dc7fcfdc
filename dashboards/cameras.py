"""*Cameras*: are all of them live, and which is ill. For a thousand: lists show the worst."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.frame import CAMERAS, SITE, SITE_CAMERAS, frame
from dashboards.look import GOOD, HEALTH, Levels
from dashboards.panels import Query, View, lines, number, rows, timeline

AGE = f"namespace_camera:maskstream_result_age_seconds:p99_rate5m{{{SITE_CAMERAS}}}"
CODE = f"namespace_camera:maskstream_camera_health:code{{{SITE_CAMERAS}}}"


def build() -> Dashboard:
    """The dashboard."""
    board = frame("cameras", "Cameras", "Are all cameras live, and which is ill.")
    board.with_row(Row("Are all cameras live"))
    for view in (_LIVE, _ILL, _CONNECTING, _LOST, _FAILED, _ENDED):
        board.with_panel(number(view, none="none"))
    board.with_panel(timeline(_MAP, HEALTH))
    board.with_panel(rows(_WORST, _WORST_COLUMNS, HEALTH))
    board.with_panel(rows(_CONDITIONS, _CONDITIONS_COLUMNS))
    board.with_panel(lines(_STATES, stacked=True))
    board.with_row(Row("What each of them sends, and how it comes through"))
    for view in (_OFFERED, _RESULTS, _AGE):
        board.with_panel(lines(view))
    for view in (_SKIPPED, _BROKEN, _MISSING):
        board.with_panel(lines(view))
    board.with_row(Row("Connections and clocks"))
    board.with_panel(rows(_RECONNECTS, _TIMES))
    board.with_panel(rows(_EPOCHS, _TIMES))
    board.with_panel(lines(_SKEW))
    board.with_row(Row("What is seen"))
    board.with_panel(lines(_INSTANCES))
    board.with_panel(lines(_LEAST))
    return board


def _count(title: str, code: int, means: str, levels: Levels) -> View:
    query = Query(f"count({CODE} == {code})")
    return View(title, means, "MaskstreamCameraLost", "none", [query], levels, width=4, height=4)


_LIVE = _count("Live", 1, "Cameras whose pictures come and are well.", Levels(base=GOOD))

_ILL = _count(
    "Live, but ill",
    2,
    "Cameras that send, but a frozen, black or moved picture, another size, a clock or a rate "
    "that is off. The table below says what; somebody has to look at the camera itself.",
    Levels(warning=1),
)

_CONNECTING = _count(
    "Connecting",
    3,
    "Cameras that are tried for the first time, or taken over. For longer than a minute: no "
    "ingest has room, or none runs.",
    Levels(warning=1),
)

_LOST = _count(
    "Lost",
    4,
    "Cameras that do not answer, whether they once did or not. They are tried until they do; "
    "`maskstream cameras status` says what is met.",
    Levels(bad=1),
)

_FAILED = _count(
    "Failed",
    5,
    "Cameras that nobody tries any more, as trying cannot help: a wrong file or setting. "
    "Correct it and `maskstream cameras apply`.",
    Levels(bad=1),
)

_ENDED = _count(
    "Ended", 0, "Files that were read to their end, and cameras that were removed.", Levels()
)

_MAP = View(
    "Health of cameras: the 50 worst of each moment",
    "A row for each camera; the worst comes first into the list. A column of red through all "
    "rows is the network or ingest, a red row is a camera.",
    "MaskstreamCameraLost",
    "none",
    [Query(f"topk(50, {CODE} > 0)", "{{camera}}")],
    width=24,
    height=14,
)

_WORST_COLUMNS = {"namespace": "Namespace", "camera": "Camera", "Value": "Health"}

_WORST = View(
    "Cameras that are not well now",
    "At most 200, the worst first. The reason of each stands in `maskstream cameras status`, "
    "what it means in docs/cameras.md.",
    "MaskstreamCameraLost",
    "none",
    [Query(f"sort_desc(topk(200, {CODE} > 1))")],
)

_CONDITIONS_COLUMNS = {
    "namespace": "Namespace",
    "camera": "Camera",
    "condition": "Condition",
    "Value": "Holds",
}

_CONDITIONS = View(
    "Conditions that hold now",
    "What ails live cameras, at most 200 lines. frozen, black and moved want somebody at the "
    "camera; skewed its clock (NTP); slow and resized its settings.",
    "MaskstreamCameraLost",
    "none",
    [
        Query(
            "topk(200, max by (namespace, camera, condition) "
            f"(maskstream_camera_condition{{{CAMERAS}}}) == 1)"
        )
    ],
    Levels(bad=1),
)

_STATES = View(
    "Cameras by state",
    "How many are in which state. A step for all at once is the network or ingest; for one it "
    "is that camera.",
    "MaskstreamCameraLost",
    "none",
    [Query(f"sum by (state) (namespace_state:maskstream_cameras:count{{{SITE}}})", "{{state}}")],
)

_OFFERED = View(
    "Frames offered: the ten slowest cameras",
    "Frames a second that a live camera gives. Far below its fps: see its condition `slow`, "
    "its settings, or the network.",
    "MaskstreamCameraLost",
    "suffix: frames/s",
    [
        Query(
            f"bottomk(10, namespace_camera:maskstream_frames_offered:rate2m{{{SITE_CAMERAS}}})",
            "{{camera}}",
        )
    ],
)

_RESULTS = View(
    "Results: the ten slowest cameras",
    "Frames a second that got a result. Below what the camera offers: they are skipped, and "
    "the reason stands below.",
    "MaskstreamFramesSkipped",
    "suffix: frames/s",
    [
        Query(
            f"bottomk(10, namespace_camera:maskstream_results:rate2m{{{SITE_CAMERAS}}})",
            "{{camera}}",
        )
    ],
)

_AGE = View(
    "Age of results (p99): the ten oldest",
    "One in a hundred results of a live camera is older when it is made. One camera alone: it "
    "offers more than its fair part.",
    "MaskstreamLatencyHigh",
    "s",
    [
        Query(
            f"topk(10, {AGE})",
            "{{camera}}",
        )
    ],
    Levels(0.5, 1.0),
)


def _gaps(reasons: str) -> str:
    selector = f'{SITE_CAMERAS}, reason=~"{reasons}"'
    return f"topk(10, namespace_camera_reason:maskstream_gaps:rate2m{{{selector}}})"


_SKIPPED = View(
    "Frames skipped: the ten cameras with most",
    "stale: too old to be worth a look. overflow: brokers took too few. expired: deleted "
    "unread. All cameras alike: too little capacity.",
    "MaskstreamCameraBlind",
    "suffix: frames/s",
    [Query(_gaps("stale|overflow|expired"), "{{camera}} {{reason}}")],
)

_BROKEN = View(
    "Frames in error: the ten cameras with most",
    "dead_letter: the frame could not be decoded or handled. quarantined: mostly such, so the "
    "others are not tried. Restart the camera, or look at its encoder and network.",
    "MaskstreamCameraQuarantined",
    "suffix: frames/s",
    [Query(_gaps("dead_letter|quarantined"), "{{camera}} {{reason}}")],
)

_MISSING = View(
    "Frames missing, within 15 minutes",
    "Neither a result nor a gap tells of them. Anything but 0 is a fault of ours or of a "
    "broker that lost records: run `maskstream audit`.",
    "MaskstreamFramesMissing",
    "none",
    [
        Query(
            f"topk(10, namespace_camera:maskstream_frames_missing:increase15m{{{SITE_CAMERAS}}})",
            "{{camera}}",
        )
    ],
    Levels(bad=1),
)


_TIMES = {"camera": "Camera", "Value": "Times"}


def _often(metric: str) -> list[Query]:
    return [Query(f"topk(10, sum by (camera) (increase({metric}{{{CAMERAS}}}[1h])))")]


_RECONNECTS = View(
    "Times a camera came back, within an hour",
    "The ten least steady cameras. Many: the network to the camera, its power, or one session "
    "too many for it.",
    "MaskstreamCameraUnsteady",
    "none",
    _often("maskstream_camera_reconnects_total"),
)

_EPOCHS = View(
    "Epochs opened, within an hour",
    "Connections that gave a picture, from the second of a process on: after a loss, or a change "
    "of the camera's settings. An ingest that is started again shows on Pipeline, as restarts.",
    "MaskstreamPodRestarting",
    "none",
    _often("maskstream_camera_connects_total"),
)

_SKEW = View(
    "Clocks of cameras: the ten farthest off",
    "How far a camera's own clock is from ours, either way. It decides nothing; set NTP on "
    "the camera if its own time in results matters to you.",
    "MaskstreamCameraLost",
    "s",
    [
        Query(
            f"topk(10, max by (camera) (abs(maskstream_camera_skew_seconds{{{CAMERAS}}})))",
            "{{camera}}",
        )
    ],
)


def _seen(choose: str) -> Query:
    instances = f"namespace_camera:maskstream_instances:rate2m{{{SITE_CAMERAS}}}"
    results = f"namespace_camera:maskstream_results:rate2m{{{SITE_CAMERAS}}}"
    return Query(f"{choose}(10, {instances} / ({results} > 0))", "{{camera}}")


_INSTANCES = View(
    "Instances in a frame: the ten fullest cameras",
    "The mean of what the model finds. A jump with nobody there is a lens, a light or a model "
    "that was changed.",
    "MaskstreamInferenceSlow",
    "none",
    [_seen("topk")],
    width=12,
)

_LEAST = View(
    "Instances in a frame: the ten emptiest cameras",
    "The mean of what the model finds. 0 where somebody is: the view was moved, the lens is "
    "dirty, or `labels` and `confidence` are too strict.",
    "MaskstreamInferenceSlow",
    "none",
    [_seen("bottomk")],
    width=12,
)
