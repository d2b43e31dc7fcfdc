"""What an endpoint is told, in the format that it asks for: pure. Equal alerts give equal bytes."""

from collections.abc import Callable
from functools import partial

from stream.notify.body import alertmanager, plain
from stream.specs import EndpointSpec
from stream.types import Alert


def body_for(endpoint: EndpointSpec) -> Callable[[Alert], bytes]:
    """What makes the body of a change of an alert for ``endpoint``.

    It raises `TooLargeError` where that cannot be made small enough.
    """
    match endpoint.body:
        case "json":
            return plain.body_of
        case "alertmanager":
            return alertmanager.posted
        case "alertmanager-v4":
            return partial(alertmanager.notified, receiver=endpoint.id)


__all__ = ["body_for"]
