"""What a picture of an alert shows."""

from collections.abc import Callable, Collection, Iterable

from connectors.annotate import Place, Stamp, draw
from connectors.evidence.blurring import blur
from stream.masks import Mask
from stream.ports import Window
from stream.rulebook import Rulebook
from stream.rules import Crossing
from stream.types import Alert, Joined, Picture, Pixels, Size

Looked = Callable[[str, Size], Iterable[Window]]


class Artist:
    """Draws frames for alerts: all masks, the alert's zone or line, in red what it is about, and
    when and by which camera the frame was taken.

    ``labels`` are blurred first, so that nothing that is drawn is. ``looked`` gives the windows of
    a camera's frames of a size in which they are looked for.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        labels: Collection[str],
        looked: Looked,
        decode: Callable[[Picture], Pixels],
    ) -> None:
        self._rulebook = rulebook
        self._labels = frozenset(labels)
        self._looked = looked
        self._decode = decode

    def picture(self, joined: Joined, alert: Alert) -> Pixels:
        """The frame as BGR, its own size. Raises `RecordError` where it cannot be decoded."""
        looked = self._looked(alert.camera, joined.frame.size)
        pixels = self._decode(joined.frame.picture)
        pixels = blur(pixels, joined.result, self._labels, looked)
        place = (alert.camera, alert.zone)
        zones = [each for each in self._rulebook.zones if (each.camera, each.id) == place]
        rules = self._rulebook.plans[alert.camera].rules
        lines = [each for each in rules if isinstance(each, Crossing) and each.id == alert.rule]
        is_open = joined.frame.time_us >= alert.opened_us
        told = [alert] if is_open else []
        places: list[Place] = [*zones, *lines]
        stamp = Stamp(joined.frame.time_us, joined.frame.id.camera)
        about = _about(joined, alert)
        return draw(pixels, joined.result, joined.tracks, places, told, about, stamp)


def _about(joined: Joined, alert: Alert) -> list[Mask]:
    """The masks in this frame of what the alert is about."""
    seen, frame = alert.evidence, joined.frame.id
    if seen is not None and seen.mask is not None and (seen.epoch, seen.seq) == frame[1:]:
        return [seen.mask] if seen.mask.size == joined.frame.size else []
    return []
