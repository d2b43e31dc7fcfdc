"""*GPU and model*: is the card used, does it fit, and which model runs where."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import shadow
from dashboards.common import quantile, quantiles, rate
from dashboards.frame import PODS, SITE, frame
from dashboards.look import Levels
from dashboards.panels import Query, View, lines, rows

SERVICE = "maskstream_batch_service_seconds"
BATCH = "maskstream_batch_size_views"
WITH_MODEL = f"and on (pod) maskstream_model_info{{{PODS}}}"
"""Of processes with a model: the others have its histograms as well, empty."""


def build() -> Dashboard:
    """The dashboard."""
    board = frame(
        "gpu", "GPU and model", "Is the card used, does it fit, and which model runs where."
    )
    board.with_row(Row("Card"))
    for view in (_BUSY, _MEMORY, _USED, _OUT_OF_MEMORY):
        board.with_panel(lines(view))
    board.with_row(Row("Model"))
    board.with_panel(lines(_LATENCY, traced=True))
    board.with_panel(lines(_LATENCY_BY_POD, traced=True))
    board.with_panel(rows(_MODELS, _MODELS_COLUMNS))
    for view in (_SIZE, _BATCHES, _CAPACITY, _INSTANCES, _FRAMES):
        board.with_panel(lines(view))
    board.with_row(Row("Shadow against model"))
    for view in shadow.VIEWS:
        board.with_panel(lines(view))
    return board


_BUSY = View(
    "GPU busy, by pod",
    "The share of the last second in which the card worked. Low while frames are skipped: "
    "Python or decoding beside it is the limit, so try `segment --workers`.",
    "MaskstreamInferenceSlow",
    "percentunit",
    [Query(f"avg by (pod, gpu) (maskstream_gpu_busy_ratio{{{PODS}}})", "{{pod}} gpu {{gpu}}")],
    Levels(0.95),
    width=6,
)

_MEMORY = View(
    "GPU memory, share in use",
    "Red above 90 %: a batch that does not fit is halved, and a frame that does not fit alone "
    "is lost. Fewer workers, a smaller `image_size`, or another precision.",
    "MaskstreamGpuMemoryHigh",
    "percentunit",
    [Query(f"namespace_pod_gpu:maskstream_gpu_memory:ratio{{{PODS}}}", "{{pod}} gpu {{gpu}}")],
    Levels(0.8, 0.9),
    width=6,
)

_USED = View(
    "GPU memory, used and there",
    "Everything that uses the card counts, others' programs as well. A line that only rises "
    "is a leak: note the versions and restart the pod.",
    "MaskstreamGpuMemoryHigh",
    "bytes",
    [
        Query(
            f"sum by (pod, gpu) (maskstream_gpu_memory_used_bytes{{{PODS}}})",
            "{{pod}} gpu {{gpu}} used",
        ),
        Query(
            f"sum by (pod, gpu) (maskstream_gpu_memory_bytes{{{PODS}}})",
            "{{pod}} gpu {{gpu}} there",
        ),
    ],
    width=6,
)

_OUT_OF_MEMORY = View(
    "Frames that did not fit",
    "Dead letters, out_of_memory, a second: even alone they did not fit into the card. Free "
    "some of its memory.",
    "MaskstreamGpuMemoryHigh",
    "cps",
    [
        Query(
            rate("maskstream_dead_letters_total", f'{PODS}, reason="out_of_memory"', "pod"),
            "{{pod}}",
        )
    ],
    Levels(bad=0.001),
    width=6,
)

_LATENCY = View(
    "Inference latency",
    "A batch in the model, from views to masks, of all pods. Red above 500 ms: smaller "
    "batches, fewer cameras, or more cards.",
    "MaskstreamInferenceSlow",
    "s",
    quantiles(SERVICE, PODS),
    Levels(bad=0.5),
)

_LATENCY_BY_POD = View(
    "Inference latency by pod (p95)",
    "One in twenty batches takes longer than this. One pod above others shares its card, or "
    "has a slower one.",
    "MaskstreamInferenceSlow",
    "s",
    [Query(f"{quantile(0.95, SERVICE, PODS, 'pod').expr} {WITH_MODEL}", "{{pod}}")],
    Levels(bad=0.5),
)

_MODELS_COLUMNS = {"model": "Model", "hash": "Hash", "precision": "Precision", "Value": "Processes"}

_MODELS = View(
    "Models that are loaded",
    "How many processes run which weights, at which precision. Two rows are a rollout that "
    "goes on, or that stopped in the middle: results name their model.",
    "MaskstreamInferenceSlow",
    "none",
    [Query(f"count by (model, hash, precision) (maskstream_model_info{{{PODS}}})")],
)

_SIZE = View(
    "Views in a batch",
    "How full batches are. 1 all the time with frames skipped: the device waits for what "
    "prepares frames; full all the time: the device is the limit.",
    "MaskstreamInferenceSlow",
    "none",
    quantiles(BATCH, PODS),
)

_BATCHES = View(
    "Batches a second, by pod",
    "How often the model runs. Falls to 0 where no camera is left to a pod, or where it "
    "hangs: the lag then rises.",
    "MaskstreamLagGrowing",
    "cps",
    [Query(f"{rate(f'{BATCH}_count', PODS, 'pod')} {WITH_MODEL}", "{{pod}}")],
)

_CAPACITY = View(
    "Capacity, by pod",
    "Frames a second that a segmenter does when it is saturated, as measured at warm-up and "
    "then in service. Scaling counts with it: one pod far below others misleads it.",
    "MaskstreamAtMaxReplicas",
    "suffix: frames/s",
    [Query(f"sum by (pod) (maskstream_capacity_frames_per_second{{{PODS}}}) > 0", "{{pod}}")],
)

_INSTANCES = View(
    "Instances in a result",
    "How many masks a result has. Post-processing and encoding are paid per instance: a jump "
    "here explains a slower stage there.",
    "MaskstreamInferenceSlow",
    "none",
    quantiles("maskstream_frame_instances", PODS),
    width=12,
)

_FRAMES = View(
    "Results a second, all pods",
    "What comes out of the model.",
    "MaskstreamFramesSkipped",
    "suffix: frames/s",
    [Query(f"sum(namespace_camera:maskstream_results:rate2m{{{SITE}}})", "results")],
    width=12,
)
