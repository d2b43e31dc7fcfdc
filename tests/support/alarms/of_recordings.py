"""Cases of what only dashboards ask."""

from tests.support.alarms.case import Sum
from tests.support.alarms.samples import live, series

LOAD = "sum(namespace:maskstream_load:ratio)"
OFFERED = {
    **series("maskstream_frames_offered_total", "0+300x80", camera="hall"),
    **live("hall"),
    **series("maskstream_frames_offered_total", "0+300x80", camera="film"),  # a file: not counted
}


def capacity(values: str) -> dict[str, str]:
    return series("maskstream_capacity_frames_per_second", values, pod="segment-0")


SUMS = (
    Sum("offered frames are compared with capacity", LOAD, {**OFFERED, **capacity("20x80")}, 0.5),
    Sum("a shadow's frames and capacity are no part of it", LOAD,
        {**OFFERED, **capacity("20x80"),
         **series("maskstream_shadow_frames_offered_total", "0+300x80", camera="hall"),
         **series("maskstream_shadow_capacity_frames_per_second", "20x80", pod="shadow-0")}, 0.5),
    Sum("a shadow's results are no answers", "sum(namespace_camera:maskstream_answers:rate2m)",
        {**series("maskstream_results_total", "0+300x80", camera="hall"),
         **series("maskstream_shadow_results_total", "0+300x80", camera="hall"),
         **series("maskstream_shadow_gaps_total", "0+30x80", camera="hall", reason="stale")}, 10.0),
    Sum("a shadow's lag is not the pipeline's", "sum(namespace_topic:maskstream_lag_records:sum)",
        {**series("maskstream_lag_records", "7x80", topic="masks", partition="0"),
         **series("maskstream_shadow_lag_records", "5x80", topic="masks", partition="0")}, 7.0),
    Sum("a shadow is no process of the pipeline",
        "sum(namespace_role:maskstream_processes:count)",
        {**series("maskstream_build_info", "1x80", role="segment"),
         **series("maskstream_shadow_build_info", "1x80", role="shadow"),
         **series("maskstream_shadow_build_info", "1x80", role="compare")}, 1.0),
    Sum("no load is told where capacity is not known", LOAD, {**OFFERED, **capacity("_x80")}, None),
    Sum("no load is told of no capacity", LOAD, {**OFFERED, **capacity("0x80")}, None),
)  # fmt: skip
