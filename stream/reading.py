"""For consumers of ``masks``, in any program of your own: each frame's terminal, once.

>>> reader = MaskReader()
>>> message = reader.read(record.value, record.headers)  # doctest: +SKIP
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stream import codec
from stream.errors import SchemaError
from stream.ports import Record
from stream.types import MaskMessage
from stream.watermark import Watermark, trimmed

Headers = Mapping[str, bytes] | Iterable[tuple[str, bytes]]


class MaskReader:
    """Decodes records of ``masks`` in log order and trims what came before, camera by camera.

    Keep one for all that you read. What is put away with your own work survives a restart:
    ``MaskReader(marks)`` goes on from the ``marks`` of an earlier one.
    """

    def __init__(self, marks: Mapping[str, Watermark] | None = None) -> None:
        self.marks: defaultdict[str, Watermark] = defaultdict(Watermark, marks or {})

    def read(self, value: bytes, headers: Headers) -> MaskMessage | None:
        """The message in a record; of a gap, its new part; None for what came before.

        Raises `stream.errors.RecordError` for a record that is not one of ``masks``: leave it out,
        and `UnsupportedVersionError` for one of a newer major version: stop, and upgrade.
        """
        message = codec.decode(Record("", value, dict(headers)))
        if not isinstance(message, MaskMessage):
            kind = message.__struct_config__.tag
            raise SchemaError(f"ce_type: given {kind}; not a message of masks")
        mark, new = trimmed(self.marks[message.camera], message)
        self.marks[message.camera] = mark
        return new
