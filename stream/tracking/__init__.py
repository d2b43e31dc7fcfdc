"""Identities that last from result to result."""

from stream.tracking.identities import Identities, Identity, track

__all__ = ["Identities", "Identity", "track"]
