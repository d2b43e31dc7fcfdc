"""Pictures and short videos of what alerts tell of: made from the frames that are still kept,
stored in a folder or a bucket, and deleted when their time is over.
"""

from connectors.evidence.artist import Artist
from connectors.evidence.clips import Clips
from connectors.evidence.retention import keep_purging
from connectors.evidence.snapshots import Illustrator
from connectors.evidence.store import EvidenceStore, Stored

__all__ = ["Artist", "Clips", "EvidenceStore", "Illustrator", "Stored", "keep_purging"]
