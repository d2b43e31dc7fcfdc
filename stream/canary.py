"""A small picture through the model every few seconds: a device can die while nothing is asked."""

import numpy as np

from stream.health import Health
from stream.ports import Clock, Model, View, Window

PERIOD_S = 10.0
SIDE_PX = 64
GREY = 114


async def sing(model: Model, health: Health, clock: Clock) -> None:
    """Ask the model again and again, and tell ``health``, until cancelled."""
    window = Window(0, 0, SIDE_PX, SIDE_PX)
    view = View(np.full((SIDE_PX, SIDE_PX, 3), GREY, np.uint8), window)
    health.expect_canaries(clock.now_us())  # the first may be the one that hangs
    while True:
        try:
            await model.segment([view])
        except Exception as error:
            health.canary(f"{type(error).__name__}: {error}", clock.now_us())
        else:
            health.canary(None, clock.now_us())
        await clock.sleep(PERIOD_S)
