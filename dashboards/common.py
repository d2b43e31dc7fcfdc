"""Queries that more than one dashboard asks."""

from collections.abc import Sequence

from dashboards.frame import PODS, SITE
from dashboards.panels import Query

FIRING = f'ALERTS{{alertname=~"Maskstream.+", alertstate="firing", {SITE}}}'
"""What Prometheus keeps of the alarms of rules/alarms.yaml."""


def quantiles(metric: str, selector: str, *by: str) -> Sequence[Query]:
    """p50, p95 and p99 of a histogram, for each value of the labels ``by``."""
    labels = ", ".join([*by, "le"])
    names = " ".join(f"{{{{{label}}}}}" for label in by)
    rate = f"sum by ({labels}) (rate({metric}_bucket{{{selector}}}[$__rate_interval]))"
    return [
        Query(f"histogram_quantile({part}, {rate})", f"{names} {name}".strip())
        for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ]


def quantile(part: float, metric: str, selector: str, *by: str) -> Query:
    """One quantile of a histogram, for each value of the labels ``by``."""
    labels = ", ".join([*by, "le"])
    names = " ".join(f"{{{{{label}}}}}" for label in by)
    rate = f"sum by ({labels}) (rate({metric}_bucket{{{selector}}}[$__rate_interval]))"
    return Query(f"histogram_quantile({part}, {rate})", names)


def rate(metric: str, selector: str, *by: str) -> str:
    """How often a second a counter rises, for each value of the labels ``by``."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{selector}}}[$__rate_interval]))"


STAGES = "maskstream_stage_seconds"
TELLING = f'{PODS}, endpoint!="evidence/clips"'
"""The selector of deliveries that tell of an alert: the making of its clip tells nobody."""
UNTOLD = Query(f"max(maskstream_deliveries_oldest_seconds{{{TELLING}}})")
"""For how long somebody is not told of an alert."""
LAG = Query(f"sum by (topic) (maskstream_lag_records{{{PODS}}})", "{{topic}}")
_SETS = f'{SITE}, statefulset=~".*(ingest|segment|segment-archive|watch|notify|web)"'
REPLICAS = [
    Query(f"sum by (statefulset) (kube_statefulset_replicas{{{_SETS}}})", "{{statefulset}} wanted"),
    Query(
        f"sum by (statefulset) (kube_statefulset_status_replicas_ready{{{_SETS}}})",
        "{{statefulset}} ready",
    ),
]
"""Of kube-state-metrics: how many pods of each role there should be, and how many are ready."""
