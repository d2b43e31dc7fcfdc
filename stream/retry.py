"""When a failed delivery is tried again: pure."""

STEPS_S = (1, 5, 30, 120, 600, 1_800, 7_200, 18_000, *[36_000] * 7)
"""Seconds to wait after the first, second, … failed try: 16 tries over 78 hours.

The example schedule of the Standard Webhooks specification 1.0.0 ("Deliverability and
reliability") spans 76 hours in ten tries. Ours begins quicker, because most failures are a restart
of the receiver, and never waits longer than 10 hours, so that a receiver that comes back in the
morning has everything by the evening.
"""
JITTER = 0.2
"""Most that is added to a wait, as a part of it, so that what failed together comes back apart."""


def delay_s(attempt: int, random: float, retry_after_s: float | None) -> float | None:
    """Seconds to wait after the ``attempt``-th try failed (from 1); None: give up.

    ``random`` is in [0, 1). ``retry_after_s`` is what the endpoint asked for: it lengthens a wait
    up to the schedule's longest step, never shortens one, and buys no further tries.
    """
    if attempt > len(STEPS_S):
        return None
    asked_s = min(retry_after_s or 0.0, max(STEPS_S))
    return max(STEPS_S[attempt - 1], asked_s) * (1 + JITTER * random)
