"""A batch of small pictures through the model every few seconds: a device can die, or be filled by
others, while nothing is asked of it.
"""

import numpy as np

from stream.errors import DeviceError
from stream.halving import room
from stream.health import Health
from stream.ports import Clock, Model, View, Window

PERIOD_S = 10.0
WINDOW = Window(0, 0, 64, 36)
"""In the shape of most pictures: their network is warm, and theirs is the room that is wanted."""
GREY = 114


async def sing(model: Model, health: Health, clock: Clock) -> None:
    """Ask the model again and again, and tell ``health``, until cancelled.

    Raises `DeviceError` where the device failed for good.
    """
    view = View(np.full((WINDOW.height, WINDOW.width, 3), GREY, np.uint8), WINDOW)
    health.expect_canaries(clock.now_us())  # the first may be the one that hangs
    while True:
        try:
            fitting = await room(model, view)
        except DeviceError:
            raise
        except Exception as error:
            health.canary(f"{type(error).__name__}: {error}", clock.now_us())
        else:
            health.canary(None, clock.now_us())
            health.room(fitting, model.batch_size)
        await clock.sleep(PERIOD_S)
