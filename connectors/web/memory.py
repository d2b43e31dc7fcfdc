"""How the past is filled: a picture that is a JPEG at once, pixels as far as there is time."""

import asyncio
import logging
import time

from connectors.web.past import Moment, Past
from connectors.web.shown import Shown
from stream.types import Encoded

EVERY_US = 100_000
"""Of a camera at most ten pictures a second are kept."""
AT_WORK = 0.2
"""Most of a core that is spent on encoding pixels for a past that perhaps nobody looks at. What
there is no time for is not kept, of all cameras alike."""
SLACK_US = EVERY_US // 10
"""A camera with ten frames a second sends some a little early."""

_log = logging.getLogger(__name__)


class Memory:
    """Keeps what is shown in `past`. ``offer`` returns at once; `develop` does the work."""

    def __init__(self) -> None:
        self.past = Past()
        self._due_us: dict[str, int] = {}
        self._pixels: dict[str, Shown] = {}
        self._at_work: str | None = None
        """The camera whose pixels are being encoded, unless it is forgotten meanwhile."""
        self._came = asyncio.Event()

    def offer(self, camera: str, shown: Shown) -> None:
        """Keep a picture, where its camera has kept none for a while."""
        if shown.heard_us < self._due_us.get(camera, 0) - SLACK_US:
            return
        self._due_us[camera] = max(self._due_us.get(camera, 0), shown.heard_us - EVERY_US)
        self._due_us[camera] += EVERY_US
        picture = shown.joined.frame.picture
        if isinstance(picture, Encoded):
            self.past.add(camera, _moment(shown, picture.jpeg))
            return
        self._pixels[camera] = shown  # in place of one that there was no time for
        self._came.set()

    def forget(self, camera: str) -> None:
        """Drop what is kept of a camera, and what would be in a moment."""
        self.past.forget(camera)
        if self._at_work == camera:
            self._at_work = None
        self._due_us.pop(camera, None)
        self._pixels.pop(camera, None)

    async def develop(self) -> None:
        """Encode what comes as pixels, camera by camera, until this is cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._pixels:
                camera = next(iter(self._pixels))
                began_s = time.perf_counter()
                await self._develop(camera, self._pixels.pop(camera))
                await asyncio.sleep((time.perf_counter() - began_s) * (1 / AT_WORK - 1))

    async def _develop(self, camera: str, shown: Shown) -> None:
        self._at_work = camera
        try:
            moment = _moment(shown, await shown.jpeg())
        except Exception:  # a picture that cannot be kept ends nothing else
            _log.exception("%s: not kept on the page", shown.joined.frame.id)
        else:
            if self._at_work == camera:
                self.past.add(camera, moment)


def _moment(shown: Shown, jpeg: bytes) -> Moment:
    at = shown.joined.frame.id
    return Moment(shown.number, at.epoch, at.seq, shown.heard_us, shown.about, jpeg)
