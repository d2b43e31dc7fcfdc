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
    Sum("no load is told where capacity is not known", LOAD, {**OFFERED, **capacity("_x80")}, None),
    Sum("no load is told of no capacity", LOAD, {**OFFERED, **capacity("0x80")}, None),
)
