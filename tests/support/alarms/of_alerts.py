"""Cases of alerts that somebody is not told of."""

from stream.evidence import CLIPS
from tests.support.alarms.case import Case
from tests.support.alarms.samples import OPS, SITE, Samples, endpoint, scraped, series

UNDELIVERED = "MaskstreamAlertUndelivered"
GONE = "MaskstreamEndpointGone"

UNREADABLE = "MaskstreamRecordsUnreadable"
GIVEN_UP = "MaskstreamAlertGivenUp"
LEFT = "Alerts for ops of site were given up"


def letters(topic: str, reason: str) -> Samples:
    """One, after five minutes."""
    return series("maskstream_dead_letters_total", "0x10 1x80", topic=topic, reason=reason)


def tries(values: str, outcome: str = "given_up", name: str = "ops") -> Samples:
    return endpoint("deliveries_total", values, name, outcome=outcome)


ALERTS = (
    Case("an alert waits", UNDELIVERED, endpoint("deliveries_oldest_seconds", "0+30x80"),
         after="5m30s", labels=OPS,
         summary="ops of site has not taken an alert for 5m 30s"),
    Case("an alert waited", UNDELIVERED, endpoint("deliveries_oldest_seconds", "0+30x10 0x80")),
    Case("a clip waits for its store", UNDELIVERED,
         endpoint("deliveries_oldest_seconds", "0+30x80", CLIPS)),
    Case("an endpoint refuses alerts", GIVEN_UP,
         {**tries("0x10 3x80"), **scraped("notify", "1x80")},
         after="5m30s", last="20m", labels=OPS, summary=LEFT),
    Case("it does from the first scrape on", GIVEN_UP,
         {**tries("_x10 3x80"), **scraped("notify", "_x10 1x80", began_s=300)},
         after="5m", last="19m30s", labels=OPS, summary=LEFT),
    Case("nobody scraped for a while after some were given up", GIVEN_UP,
         {**tries("5x20 _x7 5x40"), **scraped("notify", "1x20 _x7 1x40")}, after="45m",
         step="1m"),
    Case("it takes them, or will be tried again", GIVEN_UP,
         {**tries("0x80"), **tries("0+1x80", "delivered"), **tries("0+1x80", "failed")}),
    Case("a clip is not made", GIVEN_UP,
         {**tries("0x10 3x80", name=CLIPS), **scraped("notify", "1x80")}),
    Case("a clip is not made from the first scrape on", GIVEN_UP,
         {**tries("_x10 3x80", name=CLIPS), **scraped("notify", "_x10 1x80", began_s=300)}),
    *(Case(f"a record of {topic} is unreadable", UNREADABLE, letters(topic, "schema_error"),
           after="5m30s", last="20m", labels={**SITE, "topic": topic},
           summary=f"Records of {topic} of site could not be read")
      for topic in ("masks", "alerts")),
    Case("an alert was not taken", UNREADABLE, letters("alerts", "undelivered")),
    Case("a frame is unreadable", UNREADABLE, letters("frames", "decode_error")),
    Case("an endpoint is gone", GONE, endpoint("endpoint_gone", "0 1x80"), after="30s",
         labels=OPS, summary="ops of site answered 410: it gets no alerts any more"),
    Case("an endpoint is there", GONE, endpoint("endpoint_gone", "0x80")),
)  # fmt: skip
