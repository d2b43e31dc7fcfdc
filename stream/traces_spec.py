"""Where traces of frames go: the section ``traces`` of the settings."""

from typing import Annotated

from pydantic import Field, StringConstraints

from stream.specs import Number, Spec

_Collector = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$", max_length=1024),
    Field(json_schema_extra={"allowed": "http:// or https:// and a host, without user, ? and #"}),
]


class TracesSpec(Spec):
    """Traces of frames, for a collector that takes OpenTelemetry's OTLP over HTTP."""

    endpoint: _Collector = Field(
        description="URL of the collector, as http://collector:4318; /v1/traces is added to it"
    )
    ratio: Number = Field(
        0.01, ge=0, le=1, description="part of the frames that are traced; 0: nothing is"
    )
