"""The loop of ``notify``: alerts in, tries out, until each endpoint has taken each of its alerts.

What is written, in this order: the picture that an alert links to, ``pending`` for every change
and endpoint, flush, commit of the alerts, then the tries; ``delivered`` or ``given_up`` after the
last try, flush. A crash anywhere repeats at most the tries that were in flight, with the same
body: whoever has the alert's camera next reads ``deliveries`` as its history and goes on, on
schedule.

Cameras move between the members of the group. Before they do, each member finishes its tries in
flight and lets all go; afterwards it begins anew with what is pending for the cameras that are its
own. The topic is the one home of what is pending, so a member that was frozen or cut off is in
step again by the same way.

Where pictures of alerts are stored, the links are in the alert that ``pending`` carries, so a
repeat has them as well. A picture is waited for, two seconds at most; then the alert goes out
without. A clip comes later than its alert: its making is a delivery to an endpoint of our own.

An endpoint has lanes, one for each alert with something to deliver: a lane sends opened before
updated before resolved, lanes run side by side, and a lane that waits for its next try holds no
slot. So no endpoint waits for another.
The price is a queue that grows while an endpoint is down. It is bounded. When it is full and the
endpoint fails, what comes is given up at once, into ``dead-letters``, from where it can be sent
again: the one place where this loop drops anything. When it is full and the endpoint takes what
it is given (a long backlog after a start), the inbox waits for it: later is better than never.
"""

from stream.notify.body import body_for
from stream.notify.endpoint import Limits
from stream.notify.illustrating import Illustrator
from stream.notify.loop import TOPICS, History, Notify

__all__ = ["TOPICS", "History", "Illustrator", "Limits", "Notify", "body_for"]
