"""Every error that maskstream raises on purpose.

::

    MaskstreamError
    ├── ConfigError              a setting is wrong; nothing was started
    ├── ModelError               weights or artefact refused
    ├── ConnectError             an outside thing does not answer             retriable
    ├── ForbiddenError           brokers do not grant a right that the work needs
    ├── CameraError              a picture source failed                      retriable
    │   ├── CameraChangedError   it goes on as another: size, rate or its clock
    │   ├── CredentialsRefusedError  it does not take our name and password
    │   └── CameraRefusedError   it will not get better by itself
    ├── RecordError              one record is bad: it goes to dead-letters
    │   ├── DecodeError          the picture is not what it claims to be
    │   ├── TooLargeError        over the byte or pixel limit
    │   ├── SchemaError          a header or field is missing or mistyped
    │   ├── InvalidResultError   a result contradicts itself
    │   ├── OutOfMemoryError     the model's device has no room for it, not even alone
    │   └── UndeliveredError     an alert that an endpoint never took
    ├── UnsupportedVersionError  the writer is newer than this reader: stop, do not commit
    ├── DeliveryError            an endpoint did not take an alert            retriable
    │   └── DeliveryRefusedError it never will
    │       └── EndpointGoneError    nor any other
    ├── EvidenceError            the store of evidence does not take or give     retriable
    │   └── EvidenceGoneError    there is no such picture, or not any more
    ├── DeviceError              the model's device does no work for this process any more
    ├── EndOfStream              no writer is left and all was read
    └── DrainTimeoutError        work was left when the drain deadline passed

``retriable`` on the class says whether the same call may succeed later. ``exit_code`` is what the
process ends with when the error reaches the top; the names are those of ``sysexits.h``.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_DIFFERENT = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 69
EXIT_SOFTWARE = 70
EXIT_DRAIN_TIMEOUT = 75
EXIT_FORBIDDEN = 77
EXIT_CONFIG = 78
EXIT_FORCED = 130

EXIT_CODES = {
    EXIT_OK: "done",
    EXIT_DIFFERENT: "a check failed: frames are missing, alerts differ from --expect, or an "
    "endpoint took no test alert",
    EXIT_USAGE: "the command line is wrong",
    EXIT_UNAVAILABLE: "cannot connect",
    EXIT_SOFTWARE: "an internal error",
    EXIT_DRAIN_TIMEOUT: "drain timed out: work was left",
    EXIT_FORBIDDEN: "a right on Kafka is missing",
    EXIT_CONFIG: "bad configuration or model",
    EXIT_FORCED: "forced by a second signal",
}


class MaskstreamError(Exception):
    """Root of the tree."""

    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = EXIT_SOFTWARE


class ConfigError(MaskstreamError):
    """A setting is wrong. The message has one line for each fault: place, field, given, allowed."""

    exit_code = EXIT_CONFIG


class ModelError(MaskstreamError):
    """Weights or a model artefact were refused: hash, task, labels, precision or format."""

    exit_code = EXIT_CONFIG


class ConnectError(MaskstreamError):
    """An outside thing does not answer."""

    retriable = True
    exit_code = EXIT_UNAVAILABLE


class ForbiddenError(MaskstreamError):
    """Brokers do not grant a right that the work needs. The message has a line for each."""

    exit_code = EXIT_FORBIDDEN


class CameraError(MaskstreamError):
    """A picture source failed; the camera may come back.

    ``retry_s``: the first and the longest wait before it is looked for again.
    """

    retriable = True
    retry_s: ClassVar[tuple[float, float]] = (0.2, 3.0)
    exit_code = EXIT_UNAVAILABLE


class CameraChangedError(CameraError):
    """The pictures have another size or rate from here on, or the camera's clock went back: a new
    epoch begins.
    """


class CredentialsRefusedError(CameraError):
    """The camera does not take our name and password, or may not have them. Cameras lock out who
    tries too often.
    """

    retry_s = (5.0, 60.0)


class CameraRefusedError(CameraError):
    """A picture source that will not come back by itself: no such file, not a video."""

    retriable = False


class RecordError(MaskstreamError):
    """One record cannot be handled. It goes to ``dead-letters`` and costs one frame."""

    reason: ClassVar[str] = "record_error"


class DecodeError(RecordError):
    """The picture is empty, not a JPEG, truncated, or has trailing data."""

    reason = "decode_error"


class TooLargeError(RecordError):
    """The picture is over the byte or pixel limit, judged before it is decoded."""

    reason = "too_large"


class SchemaError(RecordError):
    """A header or a field is missing or mistyped."""

    reason = "schema_error"


class InvalidResultError(RecordError):
    """A result contradicts itself: NaN, unknown class, bad RLE, mask size ≠ frame size."""

    reason = "invalid_result"


class OutOfMemoryError(RecordError):
    """The device of the model has no room for so many views at once: fewer may fit."""

    reason = "out_of_memory"


class UndeliveredError(RecordError):
    """An alert that ``endpoint`` never took; ``answer`` is what the last try met."""

    reason = "undelivered"

    def __init__(self, endpoint: str, answer: str) -> None:
        super().__init__(f"{endpoint}: {answer}")
        self.endpoint = endpoint


class UnsupportedVersionError(MaskstreamError):
    """The record's major version is newer than this reader. Upgrade the consumers first."""


class DeliveryError(MaskstreamError):
    """An endpoint did not take an alert; ``retry_after_s`` is what it asked for, if it did."""

    retriable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeliveryRefusedError(DeliveryError):
    """An endpoint that never will take this alert: forbidden address, other 4xx."""

    retriable = False


class EndpointGoneError(DeliveryRefusedError):
    """An endpoint that wants nothing any more: 410."""


class EvidenceError(MaskstreamError):
    """The store of evidence cannot be written or read."""

    retriable = True
    exit_code = EXIT_UNAVAILABLE
    reason: ClassVar[str] = "store"


class EvidenceGoneError(EvidenceError):
    """The frames that an alert tells of are not kept any more, or the alert tells of none."""

    retriable = False
    reason = "gone"


class DeviceError(MaskstreamError):
    """The device of the model failed, and every later call will: only a new process may use it."""


class EndOfStream(MaskstreamError):  # noqa: N818 - it ends a stream, it is no failure
    """No writer is left on the topic and everything in it was read."""


class DrainTimeoutError(MaskstreamError):
    """Work was left when the drain deadline passed."""

    exit_code = EXIT_DRAIN_TIMEOUT
