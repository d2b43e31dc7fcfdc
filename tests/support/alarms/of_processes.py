"""Cases of processes that are gone, begin again, or cannot be more."""

from tests.support.alarms.case import Case
from tests.support.alarms.samples import SITE, began, live, replicas, restarts, runs

DOWN = "MaskstreamRoleDown"
AGAIN = "MaskstreamPodRestarting"
MOST = "MaskstreamAtMaxReplicas"
SEGMENT_0 = {**SITE, "pod": "segment-0"}
GONE_AT_5M = "1x10 stale"
WATCH = {**SITE, "role": "watch"}
ENOUGH = {**runs("segment", pod="a"), **runs("watch", pod="a")}
"""For others to have something to do."""

PROCESSES = (
    Case("a container was started again", AGAIN,
         {**restarts("segment", "0x5 1x80"), **runs("segment")}, after="3m", last="17m30s",
         labels=SEGMENT_0, summary="segment-0 of site was started again"),
    Case("a process was, without kube-state-metrics", AGAIN,
         {**began("segment", "100x5 250x80"), **runs("segment")}, after="3m", last="17m30s",
         labels=SEGMENT_0, summary="segment-0 of site was started again"),
    Case("somebody else's container was", AGAIN,
         {**restarts("grafana", "0x5 1x80"), **runs("segment")}),
    *(Case(f"the last {role} is gone", DOWN, {**runs(role, GONE_AT_5M), **ENOUGH}, after="7m30s",
           labels={**SITE, "role": role}, summary=f"No {role} runs in site")
      for role in ("notify", "web")),
    Case("the last watch is gone", DOWN, {**runs("watch", GONE_AT_5M), **runs("segment")},
         after="7m30s", labels=WATCH, summary="No watch runs in site"),
    Case("the last segment is gone", DOWN, runs("segment", GONE_AT_5M),
         after="7m30s", labels={**SITE, "role": "segment"}, summary="No segment runs in site"),
    *(Case(f"the last {role} of live cameras is gone", DOWN,
           {**runs(role, GONE_AT_5M), **live("hall"), **ENOUGH},
           after="7m30s", labels={**SITE, "role": role}, summary=f"No {role} runs in site")
      for role in ("ingest", "run")),
    *(Case(f"the last {role} of files has ended", DOWN, {**runs(role, GONE_AT_5M), **ENOUGH},
           after="8m")
      for role in ("ingest", "run")),
    Case("one of two is gone", DOWN,
         {**runs("segment", GONE_AT_5M), **runs("segment", pod="segment-b")}, after="8m"),
    Case("a watch was gone at 2 hours", DOWN, {**runs("watch", "1x2"), **runs("segment")},
         after="4h", last="170h", labels=WATCH, summary="No watch runs in site", step="1h"),
    Case("an ingest of live cameras was gone at 2 hours", DOWN,
         {**runs("ingest", "1x2"), **runs("segment"), **live("hall", "0x2")}, after="4h",
         last="170h", labels={**SITE, "role": "ingest"}, summary="No ingest runs in site",
         step="1h"),
    *(Case(f"a segment for {role} never came up", DOWN, runs(role), after="2m",
           labels={**SITE, "role": "segment"}, summary="No segment runs in site")
      for role in ("ingest", "watch")),
    Case("a segment of live cameras never came up beside one of files", DOWN,
         {**runs("ingest"), **runs("segment-archive"), **live("hall")}, after="2m",
         labels={**SITE, "role": "segment"}, summary="No segment runs in site"),
    Case("one of files is enough for files", DOWN,
         {**runs("ingest"), **runs("segment-archive")}),
    Case("one of files has ended", DOWN, {**runs("segment-archive", GONE_AT_5M), **ENOUGH},
         after="8m"),
    Case("a watch for notify never came up", DOWN, {**runs("notify"), **runs("segment")},
         after="2m", labels=WATCH, summary="No watch runs in site"),
    Case("all of them are there", DOWN, {**runs("ingest"), **runs("notify"), **ENOUGH}),
    Case("masks are made and nobody watches", DOWN, {**runs("ingest"), **runs("segment")}),
    *(Case(f"the autoscaler of {role} is at its end", MOST, replicas(8, 8, f"keda-hpa-{role}"),
           after="10m", labels={**SITE, "horizontalpodautoscaler": f"keda-hpa-{role}"},
           summary=f"keda-hpa-{role} of site has all the replicas that it may have")
      for role in ("ingest", "segment", "watch", "notify", "web")),
    Case("an autoscaler has room", MOST, replicas(7, 8), after="11m"),
    Case("an autoscaler has no choice", MOST, replicas(1, 1), after="11m"),
    Case("somebody else's autoscaler", MOST, replicas(8, 8, "grafana"), after="11m"),
)  # fmt: skip
