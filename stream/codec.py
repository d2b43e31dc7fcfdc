"""Types to records and back.

Metadata travels as CloudEvents 1.0 headers in Kafka's binary mode (``ce_id``, ``ce_type``, …), so
that tools that know CloudEvents read it without us. The value of a frame is the picture itself;
every other value is JSON, tagged by its field ``type``.

``ce_type`` is ``maskstream.<kind>.v<major>``. A reader takes the major version it was written for
and the one before it, and ignores fields that it does not know.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import msgspec
import numpy as np

from stream.errors import (
    InvalidResultError,
    RecordError,
    SchemaError,
    UndeliveredError,
    UnsupportedVersionError,
)
from stream.masks import Mask, pack
from stream.ports import Delivery, Record
from stream.types import (
    MOST_COUNT,
    MOST_PX,
    Alert,
    CameraHealth,
    CameraStatus,
    DeliveryStatus,
    Encoded,
    EpochClosed,
    EpochOpened,
    Frame,
    FrameId,
    Gap,
    MaskMessage,
    Mode,
    Picture,
    Raw,
    Result,
    Tracks,
)

VERSION = 1
JPEG = "image/jpeg"
RAW = "application/x-raw-bgr"
JSON = "application/json"

Message = MaskMessage | Tracks | Alert | CameraStatus | DeliveryStatus

_TYPE = re.compile(rb"maskstream\.([a-z-]+)\.v(\d{1,9})")
_ENDED = re.compile(rb"/(\d{1,16})/(\d{1,16})(?:/result|-(\d{1,16}))")
_CLAIMS_RESULT = re.compile(rb'"type"\s*:\s*"result"')
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


def mask_to_wire(value: Any) -> dict[str, Any]:
    """A mask as msgspec writes it, in JSON and elsewhere: its ``enc_hook``."""
    if isinstance(value, Mask):
        return {"size": value.size, "counts": value.counts}
    raise NotImplementedError(f"{type(value).__name__} has no wire form")


def mask_from_wire(kind: type, value: Any) -> Mask:
    """What `mask_to_wire` gave: msgspec's ``dec_hook``. Raises ValueError where it is no mask."""
    if kind is not Mask:
        raise NotImplementedError(f"{kind.__name__} has no wire form")
    if not isinstance(value, dict) or not isinstance(value.get("counts"), str):
        raise ValueError('mask must be {"size": [height, width], "counts": "…"}')
    height, width = msgspec.convert(value.get("size"), tuple[int, int])
    return Mask.from_counts((height, width), value["counts"])


_encoder = msgspec.json.Encoder(enc_hook=mask_to_wire)
_UNREAD = Mask.from_edges((1, 1), np.empty(0, np.int32))
_peeker: msgspec.json.Decoder[Message] = msgspec.json.Decoder(
    Message, dec_hook=lambda _kind, _value: _UNREAD
)
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message, dec_hook=mask_from_wire)


def to_json(message: Message) -> bytes:
    """The JSON that a record carries as its value."""
    if isinstance(message, Result):
        pack([instance.mask for instance in message.instances])
    return _encoder.encode(message)


def from_json(line: bytes | memoryview) -> Message:
    """The message in ``line``, checked.

    Raises `InvalidResultError` for a result that contradicts itself and `SchemaError` for
    anything else that is not one of our messages.
    """
    try:
        message = _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        kind = InvalidResultError if _CLAIMS_RESULT.search(line) else SchemaError
        raise kind(f"{error}; value begins {bytes(line[:40])!r}") from error
    if isinstance(message, Result):
        _check_result(message)
    if isinstance(message, Gap) and message.first > message.last:
        raise SchemaError(f"gap: given {message.first} to {message.last}; first is after last")
    return message


def encode(message: Message) -> Record:
    """The record of any message but a frame, keyed by its camera."""
    kind = str(message.__struct_config__.tag)
    headers = envelope(kind, _id_of(message), message.time_us, JSON)
    return Record(_key_of(message), to_json(message), headers)


def decode(record: Record) -> Message:
    """The message in a record.

    Raises `SchemaError`, `InvalidResultError`, or `UnsupportedVersionError` when the writer's
    major version is not this reader's or the one before.
    """
    kind = kind_of(record)
    message = from_json(record.value)
    tag = message.__struct_config__.tag
    if tag != kind:
        raise SchemaError(f"ce_type says {kind}, the value says {tag}")
    return message


def peek(record: Record) -> Message:
    """As `decode` for whoever only counts: masks stay unread, and the value is not judged.

    Raises `SchemaError` for a value that is none of our messages.
    """
    try:
        return _peeker.decode(record.value)
    except msgspec.MsgspecError as error:
        raise SchemaError(str(error)) from error


def encode_frame(frame: Frame) -> Record:
    """The record of a frame: the picture as its value, all else in headers."""
    value: bytes | memoryview
    if isinstance(frame.picture, Encoded):
        value, content_type = frame.picture.jpeg, JPEG
    else:
        value, content_type = frame.picture.pixels.data.cast("B"), RAW
    headers = envelope("frame", str(frame.id), frame.time_us, content_type)
    headers |= {
        "ce_epoch": b"%d" % frame.id.epoch,
        "ce_seq": b"%d" % frame.id.seq,
        "ce_mode": frame.mode.encode(),
        "ce_height": b"%d" % frame.size[0],
        "ce_width": b"%d" % frame.size[1],
        "ce_arrived": rfc3339(frame.arrived_us).encode(),
    }
    if frame.camera_us is not None:
        headers["ce_cameratime"] = rfc3339(frame.camera_us).encode()
    return Record(frame.id.camera, value, headers)


def decode_frame(record: Record) -> Frame:
    """The frame in a record; its picture stays encoded. Raises as `decode` does."""
    kind = kind_of(record)
    if kind != "frame":
        raise SchemaError(f"ce_type: given {kind}; allowed: frame")
    headers = record.headers
    size = (_side(headers, "ce_height"), _side(headers, "ce_width"))
    return Frame(
        id=frame_id(record),
        mode=_mode(headers),
        size=size,
        time_us=time_us(record),
        arrived_us=_microseconds(headers, "ce_arrived"),
        picture=_picture(record, size),
        camera_us=_microseconds(headers, "ce_cameratime") if "ce_cameratime" in headers else None,
    )


def frame_id(record: Record) -> FrameId:
    """The identity of the frame in a record, read from its headers alone."""
    return FrameId(
        record.key, integer(record.headers, "ce_epoch"), integer(record.headers, "ce_seq")
    )


def time_us(record: Record) -> int:
    """The event time of a record, read from its headers alone."""
    return _microseconds(record.headers, "ce_time")


class Ended(NamedTuple):
    """The frames ``first``…``last`` (inclusive) of an epoch, which a result or a gap ends."""

    epoch: int
    first: int
    last: int


def ended(record: Record) -> Ended | None:
    """The frames that a record ends, read from its headers alone; None where it ends none."""
    if kind_of(record) not in {"result", "gap"}:
        return None
    identity = _header(record.headers, "ce_id")
    found = _ENDED.fullmatch(identity, len(record.key.encode()))
    if found is None:
        given = identity[:80]
        raise SchemaError(f"ce_id: given {given!r}; allowed: that of a result or a gap")
    return Ended(int(found[1]), int(found[2]), int(found[3] or found[2]))


def kind_of(record: Record) -> str:
    """What a record holds: ``frame``, ``result``, ``gap``, …

    Raises `SchemaError` without a readable ``ce_type`` and `UnsupportedVersionError` for a major
    version that this reader does not take.
    """
    found = _TYPE.fullmatch(_header(record.headers, "ce_type"))
    if found is None:
        given = record.headers["ce_type"][:80]
        raise SchemaError(f"ce_type: given {given!r}; allowed: maskstream.<kind>.v<major>")
    major = int(found[2])
    if major not in {VERSION, VERSION - 1}:
        side = "upgrade this reader" if major > VERSION else "upgrade the writer"
        raise UnsupportedVersionError(
            f"{found[0].decode()}: this reader takes v{VERSION - 1} and v{VERSION}; {side} first"
        )
    return found[1].decode()


def dead_letter(delivery: Delivery, error: RecordError) -> Record:
    """The record that could not be handled, untouched, with its origin and the reason added."""
    added = {
        "dead_letter_topic": delivery.topic.encode(),
        "dead_letter_ref": delivery.ref.encode(),
        "dead_letter_reason": error.reason.encode(),
        "dead_letter_error": str(error)[:1000].encode(),
    }
    if isinstance(error, UndeliveredError):
        added["dead_letter_endpoint"] = error.endpoint.encode()
    return Record(delivery.record.key, delivery.record.value, {**delivery.record.headers, **added})


def undelivered(letter: Record) -> tuple[str, Alert] | None:
    """The endpoint and the change of an alert that it never took; None for another dead letter.

    Raises as `decode` does.
    """
    if letter.headers.get("dead_letter_reason") != UndeliveredError.reason.encode():
        return None
    alert = decode(letter)
    if not isinstance(alert, Alert):
        raise SchemaError(f"ce_type: given {alert.__struct_config__.tag}; allowed: alert")
    return _header(letter.headers, "dead_letter_endpoint").decode("utf-8", "replace"), alert


def rfc3339(time_us: int, to: Literal["microseconds", "seconds"] = "microseconds") -> str:
    """A time in UTC as text, with a ``Z`` (RFC 3339). What is shorter than ``to`` is cut off."""
    moment = _ORIGIN + timedelta(microseconds=time_us)
    return moment.isoformat(timespec=to).replace("+00:00", "Z")


def envelope(kind: str, identity: str, time_us: int, content_type: str) -> dict[str, bytes]:
    """The headers of a CloudEvent in binary mode; ``identity`` is its id."""
    return {
        "ce_specversion": b"1.0",
        "ce_id": identity.encode(),
        "ce_source": b"/maskstream",
        "ce_type": f"maskstream.{kind}.v{VERSION}".encode(),
        "ce_time": rfc3339(time_us).encode(),
        "content-type": content_type.encode(),
    }


def _key_of(message: Message) -> str:
    """The camera; for a delivery what compaction keeps apart: change of an alert and endpoint.

    An alert may be updated more than once, so its changes are told apart by their time as well.
    """
    if not isinstance(message, DeliveryStatus):
        return message.camera
    change = f"{message.alert}/{message.state_of_alert}"
    if message.snapshot is not None:
        change += f"/{message.snapshot.time_us}"
    return f"{change}/{message.endpoint}"


def _id_of(message: Message) -> str:
    """Deterministic, so that a repeat carries the same id (CloudEvents: source + id is unique)."""
    match message:
        case Result() | Tracks():
            own = f"{message.epoch}/{message.seq}/{message.__struct_config__.tag}"
        case Gap():
            own = f"{message.epoch}/{message.first}-{message.last}"
        case EpochOpened() | EpochClosed():
            own = f"{message.epoch}/{message.__struct_config__.tag}"
        case CameraHealth():
            own = f"{message.epoch}/{message.condition}/{message.time_us}"
        case Alert():
            return f"{message.id}/{message.state}/{message.time_us}"
        case CameraStatus():
            own = f"{message.state}/{message.time_us}"
        case DeliveryStatus():
            return f"{_key_of(message)}/{message.state}/{message.attempts}"
    return f"{message.camera}/{own}"


def _header(headers: Any, name: str) -> bytes:
    try:
        return bytes(headers[name])
    except KeyError:
        raise SchemaError(f"{name}: header is missing") from None


def _parsed(headers: Any, name: str, parse: Callable[[str], int], allowed: str) -> int:
    given = _header(headers, name)
    try:
        return parse(given[:64].decode("ascii"))
    except (ValueError, OverflowError):
        raise SchemaError(f"{name}: given {given[:64]!r}; allowed: {allowed}") from None


def _whole(text: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(text)
    return int(text)


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return (moment.astimezone(UTC) - _ORIGIN) // timedelta(microseconds=1)


integer = partial(
    _parsed, parse=partial(_whole, least=0, most=MOST_COUNT), allowed=f"0 to {MOST_COUNT}"
)
"""A whole number in a header. Raises `SchemaError` where there is none."""
_side = partial(_parsed, parse=partial(_whole, least=1, most=MOST_PX), allowed=f"1 to {MOST_PX}")
_microseconds = partial(_parsed, parse=_instant, allowed="an RFC 3339 time")


def _mode(headers: Any) -> Mode:
    given = _header(headers, "ce_mode").decode("ascii", "replace")
    for mode in get_args(Mode):
        if given == mode:
            allowed: Literal["live", "archive"] = mode
            return allowed
    raise SchemaError(f"ce_mode: given {given[:40]!r}; allowed: {', '.join(get_args(Mode))}")


def _picture(record: Record, size: tuple[int, int]) -> Picture:
    content_type = _header(record.headers, "content-type").decode("ascii", "replace")
    if content_type == JPEG:
        return Encoded(bytes(record.value))
    if content_type != RAW:
        raise SchemaError(f"content-type: given {content_type[:40]!r}; allowed: {JPEG}, {RAW}")
    pixels = np.frombuffer(record.value, np.uint8)
    if pixels.size != size[0] * size[1] * 3:
        raise SchemaError(
            f"value: {pixels.size} bytes; a {size[1]}×{size[0]} picture has {size[0] * size[1] * 3}"
        )
    return Raw(pixels.reshape(*size, 3))


def _check_result(result: Result) -> None:
    for index, instance in enumerate(result.instances):
        place = f"{result.id} instances[{index}]"
        if instance.mask.size != tuple(result.size):
            raise InvalidResultError(
                f"{place}.mask.size: given {instance.mask.size}; the frame's is {result.size}"
            )
        if not 0 <= instance.score <= 1:
            raise InvalidResultError(f"{place}.score: given {instance.score}; allowed: 0 to 1")
        if not all(map(math.isfinite, instance.box)):
            raise InvalidResultError(f"{place}.box: given {instance.box}; allowed: finite numbers")
