"""What a batch becomes when the device has no room for it: two halves, down to single views."""

from collections.abc import Sequence

from stream.errors import OutOfMemoryError
from stream.ports import Model, View
from stream.stages import Spent, untold
from stream.types import Instance

Instances = tuple[Instance, ...]


async def segmented(
    model: Model, batch: Sequence[View], spent: Spent = untold
) -> list[Instances | OutOfMemoryError]:
    """What ``model`` says of each view; of one that does not even fit alone, its error.

    ``spent`` is told what each part took in the model's stages.

    The halves run one after the other, so that they do not take each other's room.
    """
    try:
        return [*await model.segment(batch, spent)]
    except OutOfMemoryError as error:
        if len(batch) == 1:
            return [error]
    # Not inside of "except": the error would hold on to what the device was given.
    middle = len(batch) // 2
    halves = [await segmented(model, half, spent) for half in (batch[:middle], batch[middle:])]
    return [answer for half in halves for answer in half]


async def room(model: Model, view: View) -> int:
    """How many of a view the device takes at once: a whole batch, or what halves of it fit.

    Raises `OutOfMemoryError` where it does not take one.
    """
    count = model.batch_size
    while True:
        try:
            await model.segment([view] * count)
        except OutOfMemoryError:
            if count == 1:
                raise
        else:
            return count
        count //= 2
