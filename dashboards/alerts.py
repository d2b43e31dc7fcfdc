"""*Alerts*: did they arrive, how soon, and who has not taken one."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.common import TELLING, UNTOLD, quantile, quantiles, rate
from dashboards.frame import PODS, frame
from dashboards.look import BAD, GOOD, Levels
from dashboards.panels import Query, View, lines, number, timeline

OLDEST = f"max by (endpoint) (maskstream_deliveries_oldest_seconds{{{TELLING}}})"
TRIES = "maskstream_deliveries_total"
UNDELIVERED = f'{PODS}, reason="undelivered"'
GONE = {0: ("takes alerts", GOOD), 1: ("gone (410)", BAD)}


def build() -> Dashboard:
    """The dashboard."""
    board = frame("alerts", "Alerts", "Did alerts arrive, how soon, and who has not taken one.")
    board.with_row(Row("Did they arrive"))
    for view in (_OPEN, _OPENED, _TAKEN, _PENDING, _OLDEST, _GIVEN_UP):
        board.with_panel(number(view, none="not told"))
    board.with_panel(lines(_DELIVERIES))
    board.with_panel(lines(_AGES))
    board.with_panel(lines(_WAITING))
    board.with_panel(timeline(_GONE, GONE))
    board.with_row(Row("How soon"))
    board.with_panel(lines(_UNTIL_TAKEN, traced=True))
    board.with_panel(lines(_UNTIL_ALERT, traced=True))
    board.with_panel(lines(_TRY, traced=True))
    board.with_row(Row("What they are about"))
    for view in (_BY_RULE, _OPEN_BY_RULE, _SNAPSHOTS, _UNDELIVERED):
        board.with_panel(lines(view))
    return board


def _number(
    title: str,
    means: str,
    unit: str,
    expr: str,
    levels: Levels,
    section: str = "MaskstreamAlertUndelivered",
) -> View:
    return View(title, means, section, unit, [Query(expr)], levels, width=4, height=4)


_OPEN = _number(
    "Open now",
    "Alerts that were opened and are not resolved.",
    "none",
    f"sum(maskstream_alerts_open{{{PODS}}})",
    Levels(),
)

_OPENED = _number(
    "Opened",
    "Alerts that were opened in the time that is shown.",
    "none",
    f'sum(increase(maskstream_alerts_total{{{PODS}, state="opened"}}[$__range]))',
    Levels(),
)

_TAKEN = _number(
    "Delivered",
    "Changes of alerts that endpoints took in the time that is shown. An alert is opened, "
    "perhaps updated, and resolved, for each endpoint of its rule.",
    "none",
    f'sum(increase({TRIES}{{{TELLING}, outcome="delivered"}}[$__range]))',
    Levels(base=GOOD),
)

_PENDING = _number(
    "Pending",
    "Changes of alerts that an endpoint has not taken yet. A few for a second are usual; see "
    "which endpoint, and what it answers.",
    "none",
    f"sum(maskstream_deliveries_pending{{{TELLING}}})",
    Levels(1, 100, GOOD),
)

_OLDEST = _number(
    "Oldest pending",
    "For how long the oldest of them waits. Red after 5 minutes: somebody is not "
    "told of what they asked to know.",
    "s",
    UNTOLD.expr,
    Levels(60, 300),
)

_GIVEN_UP = _number(
    "Given up",
    "Deliveries that are not tried any more, in the time that is shown. `maskstream alerts "
    "replay` sends them again, once the endpoint is well.",
    "none",
    f'sum(increase({TRIES}{{{TELLING}, outcome="given_up"}}[$__range]))',
    Levels(bad=1),
    "MaskstreamAlertGivenUp",
)

_DELIVERIES = View(
    "Tries a minute, by endpoint and outcome",
    "delivered: taken (2xx). failed: tried again later. given_up: not any more, in dead-letters. "
    "Only `failed`: the endpoint is down. Only `given_up`: it refuses us. `evidence/clips` is the "
    "making of clips.",
    "MaskstreamAlertUndelivered",
    "none",
    [Query(f"60 * {rate(TRIES, PODS, 'endpoint', 'outcome')}", "{{endpoint}} {{outcome}}")],
    width=6,
)

_AGES = View(
    "Age of the oldest pending, by endpoint",
    "A line that rises one second a second is an endpoint that takes nothing. The alarm is at "
    "5 minutes.",
    "MaskstreamAlertUndelivered",
    "s",
    [Query(OLDEST, "{{endpoint}}")],
    Levels(60, 300),
    width=6,
)

_WAITING = View(
    "Pending, by endpoint",
    "How many changes of alerts wait. They are delivered in order, one at a time for each alert. "
    "What waits at `evidence/clips` are clips to be made.",
    "MaskstreamAlertUndelivered",
    "none",
    [Query(f"sum by (endpoint) (maskstream_deliveries_pending{{{PODS}}})", "{{endpoint}}")],
    width=6,
)

_GONE = View(
    "Endpoints that are gone",
    "An endpoint that answered 410 gets nothing more until notify is started again. Correct "
    "its URL, restart notify, and `maskstream alerts replay`.",
    "MaskstreamEndpointGone",
    "none",
    [Query(f"max by (endpoint) (maskstream_endpoint_gone{{{PODS}}})", "{{endpoint}}")],
    Levels(bad=1),
    width=6,
)

_UNTIL_TAKEN = View(
    "From the frame to the endpoint, by endpoint",
    "From the arrival of the frame that an alert is about until the endpoint took the alert: "
    "what somebody waits. High for one endpoint alone: it is slow or was down.",
    "MaskstreamAlertUndelivered",
    "s",
    quantiles("maskstream_delivered_age_seconds", TELLING, "endpoint"),
    Levels(5, 60),
)

_UNTIL_ALERT = View(
    "From the frame to the alert, by place (p95)",
    "The age of live cameras' frames on their way: published, received, segmented, watched, "
    "alerted. What is not spent here is spent in delivering.",
    "MaskstreamLatencyHigh",
    "s",
    [quantile(0.95, "maskstream_frame_age_seconds", PODS, "at")],
    Levels(0.5, 1.0),
)

_TRY = View(
    "A try to deliver (p95), by endpoint",
    "How long an endpoint takes to answer. Near its `timeout`: it will begin to be failed tries.",
    "MaskstreamAlertUndelivered",
    "s",
    [quantile(0.95, "maskstream_delivery_seconds", TELLING, "endpoint")],
    Levels(1, 10),
)

_BY_RULE = View(
    "Changes a minute, by rule and state (the ten most)",
    "A rule that opens and resolves all the time wants other thresholds: try them on last "
    "week with `maskstream rules test`.",
    "MaskstreamAlertUndelivered",
    "none",
    [
        Query(
            f"topk(10, 60 * {rate('maskstream_alerts_total', PODS, 'rule', 'state')})",
            "{{rule}} {{state}}",
        )
    ],
    width=6,
)

_OPEN_BY_RULE = View(
    "Open, by rule (the ten most)",
    "What holds now. A rule that is open for days says that nobody acts on it, or that it "
    "asks the wrong thing.",
    "MaskstreamAlertUndelivered",
    "none",
    [Query(f"topk(10, sum by (rule) (maskstream_alerts_open{{{PODS}}}))", "{{rule}}")],
    width=6,
)

_SNAPSHOTS = View(
    "Snapshots a minute, by outcome",
    "Pictures of alerts: stored, late (the alert went without), or why not. Not stored: look "
    "at the bucket or the folder of `evidence`.",
    "MaskstreamAlertUndelivered",
    "none",
    [Query(f"60 * {rate('maskstream_snapshots_total', PODS, 'outcome')}", "{{outcome}}")],
    width=6,
)

_UNDELIVERED = View(
    "Alerts in dead-letters a minute",
    "Alerts that endpoints never took. They are kept, and `maskstream alerts replay` sends "
    "them again to the endpoint that missed them.",
    "MaskstreamAlertGivenUp",
    "none",
    [
        Query(
            f"60 * {rate('maskstream_dead_letters_total', UNDELIVERED, 'topic')}",
            "{{topic}}",
        )
    ],
    Levels(bad=0.01),
    width=6,
)
