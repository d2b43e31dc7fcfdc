"""What roles tell, in promtool's notation: `0+1x80` rises by 1 eighty times, `_` is no sample."""

from collections.abc import Mapping
from typing import get_args

from stream.types import GapReason

SITE = {"namespace": "site"}
HALL = {**SITE, "camera": "hall"}
OPS = {**SITE, "endpoint": "ops"}
GPU = {**SITE, "pod": "segment-0", "gpu": "0"}
MASKS = {**SITE, "topic": "masks"}

Samples = dict[str, str]


def series(metric: str, values: str, **labels: str) -> Samples:
    """Of one series of the site."""
    told = ", ".join(f'{name}="{value}"' for name, value in {**SITE, **labels}.items())
    return {f"{metric}{{{told}}}": values}


def buckets(metric: str, until: Mapping[str, int], **labels: str) -> Samples:
    """So many more every step up to each bound; the last is all."""
    found: Samples = {}
    for bound, count in until.items():
        found |= series(f"{metric}_bucket", f"0+{count}x80", **labels, le=bound)
    return found | series(f"{metric}_bucket", f"0+{max(until.values())}x80", **labels, le="+Inf")


def ages(young: int, old: int, camera: str = "hall") -> Samples:
    """Results of a camera: so many under 0.5 s, and so many under 1 s."""
    return buckets("maskstream_result_age_seconds", {"0.5": young, "1.0": old}, camera=camera)


def judged(soon: int, late: int, at: str = "watched") -> Samples:
    """So many that were at a place before 10 s, and so many before 30 s."""
    return buckets("maskstream_frame_age_seconds", {"10.0": soon, "30.0": late}, at=at)


def batches(fast: int, slow: int) -> Samples:
    """So many that took under 0.5 s in the model, and so many under 1 s."""
    return buckets("maskstream_batch_service_seconds", {"0.5": fast, "1.0": slow})


def memory(used: int) -> Samples:
    """Of a card with 100 bytes."""
    return series("maskstream_gpu_memory_used_bytes", f"{used}x80", pod="segment-0", gpu="0") | (
        series("maskstream_gpu_memory_bytes", "100x80", pod="segment-0", gpu="0")
    )


def live(camera: str = "hall", values: str = "0x200") -> Samples:
    """It has conditions, as no file has."""
    return series("maskstream_camera_condition", values, camera=camera, condition="lost")


def frames(results: int, camera: str = "hall", /, **gaps: int) -> Samples:
    """So many more every step, in one process; ``overflow`` is told by ingest.

    As each is there at 0 before the first, all the others are.
    """
    counted = series("maskstream_results_total", f"0+{results}x80", camera=camera)
    for reason in get_args(GapReason):
        dropped, count = reason == "overflow", gaps.get(reason, 0)
        for name, rise in (("frames_dropped", dropped * count), ("gaps", (not dropped) * count)):
            metric = f"maskstream_{name}_total"
            counted |= series(metric, f"0+{rise}x80", camera=camera, reason=reason)
    return counted


def lag(values: str) -> Samples:
    return series("maskstream_lag_records", values, pod="watch-0", topic="masks", partition="3")


def state(**values: str) -> Samples:
    """Of a camera, as one ingest tells it."""
    found: Samples = {}
    for name, each in values.items():
        metric = "maskstream_camera_state"
        found |= series(metric, each, pod="ingest-0", camera="hall", state=name)
    return found


def reconnects(values: str) -> Samples:
    return series("maskstream_camera_reconnects_total", values, pod="ingest-0", camera="hall")


def condition(name: str) -> Samples:
    """It holds of a camera that is live."""
    metric = "maskstream_camera_condition"
    ill = series(metric, "1x80", pod="ingest-0", camera="hall", condition=name)
    return {**ill, **state(live="1x80", lost="0x80", failed="0x80")}


def runs(role: str, values: str = "1x200", pod: str = "") -> Samples:
    return series("maskstream_build_info", values, pod=f"{pod or role}-0", role=role)


def restarts(pod: str, values: str) -> Samples:
    metric = "kube_pod_container_status_restarts_total"
    return series(metric, values, pod=f"{pod}-0", container="main")


def began(pod: str, values: str) -> Samples:
    return series("process_start_time_seconds", values, pod=f"{pod}-0")


def endpoint(metric: str, values: str, name: str = "ops", **labels: str) -> Samples:
    return series(f"maskstream_{metric}", values, pod="notify-0", endpoint=name, **labels)


def missing(values: str, process: str = "1x200", began_s: int = -86400) -> Samples:
    """Of a camera, as a watch counts it that began so long after the first sample."""
    counted = series("maskstream_frames_missing_total", values, pod="watch-0", camera="hall")
    return {**counted, **scraped("watch", process, began_s)}


def scraped(pod: str, values: str, began_s: int = -86400) -> Samples:
    """Of a process, which began so long after the first sample, wherever ``values`` has a 1."""
    return {**runs(pod, values), **began(pod, values.replace("1x", f"{began_s}x"))}


def replicas(now: int, most: int, name: str = "keda-hpa-segment", least: int = 1) -> Samples:
    """Of an autoscaler."""
    place = "kube_horizontalpodautoscaler"
    labels = {"horizontalpodautoscaler": name}
    return {
        **series(f"{place}_status_current_replicas", f"{now}x80", **labels),
        **series(f"{place}_spec_max_replicas", f"{most}x80", **labels),
        **series(f"{place}_spec_min_replicas", f"{least}x80", **labels),
        **runs("segment"),
    }
