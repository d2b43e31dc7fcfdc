"""Cases of alerts that somebody is not told of."""

from stream.evidence import CLIPS
from tests.support.alarms.case import Case
from tests.support.alarms.samples import OPS, endpoint

UNDELIVERED = "MaskstreamAlertUndelivered"
GONE = "MaskstreamEndpointGone"

ALERTS = (
    Case("an alert waits", UNDELIVERED, endpoint("deliveries_oldest_seconds", "0+30x80"),
         after="5m30s", labels=OPS,
         summary="ops of site has not taken an alert for 5m 30s"),
    Case("an alert waited", UNDELIVERED, endpoint("deliveries_oldest_seconds", "0+30x10 0x80")),
    Case("a clip waits for its store", UNDELIVERED,
         endpoint("deliveries_oldest_seconds", "0+30x80", CLIPS)),
    Case("an endpoint is gone", GONE, endpoint("endpoint_gone", "0 1x80"), after="30s",
         labels=OPS, summary="ops of site answered 410: it gets no alerts any more"),
    Case("an endpoint is there", GONE, endpoint("endpoint_gone", "0x80")),
)  # fmt: skip
