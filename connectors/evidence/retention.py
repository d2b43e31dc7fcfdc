"""What was stored too long ago is deleted."""

import logging

from connectors.evidence.store import EvidenceStore
from stream.errors import EvidenceError
from stream.evidence import chosen
from stream.ports import Clock

EVERY_S = 3600.0

_log = logging.getLogger(__name__)


async def keep_purging(store: EvidenceStore, keep_s: float, clock: Clock) -> None:
    """Delete what was stored more than ``keep_s`` ago, now and every hour; never returns.

    A store that does not take part is told of in the log and asked again an hour later.
    """
    while True:
        try:
            await purge(store, clock.now_us() - round(keep_s * 1e6))
        except EvidenceError as error:
            _log.warning("evidence: what is too old is still there: %s", error)
        await clock.sleep(EVERY_S)


async def purge(store: EvidenceStore, stored_before_us: int) -> None:
    """Delete what was stored before that."""
    if old := chosen(await store.kept(), stored_before_us):
        await store.remove([each.name for each in old])
        _log.info("evidence: %d files were deleted, as they were too old", len(old))
