"""States as a store keeps them."""

from typing import TypeVar

import msgspec

from stream import codec

S = TypeVar("S", bound=msgspec.Struct)


def to_bytes(state: msgspec.Struct) -> bytes:
    """What is kept of a state."""
    return msgspec.msgpack.encode(state, enc_hook=codec.mask_to_wire)


def again(state: S) -> S:
    """The state after it was kept and read."""
    return msgspec.msgpack.decode(to_bytes(state), type=type(state), dec_hook=codec.mask_from_wire)
