"""The settings tree: what one configuration file says, as one frozen value."""

from typing import Self

from pydantic import Field, PrivateAttr

from stream.config.faults import Origin
from stream.evidence_spec import EvidenceSpec
from stream.kafka_spec import KafkaSpec
from stream.rules import Rule
from stream.specs import (
    AllowedSpec,
    CameraHealthSpec,
    CameraSpec,
    Duration,
    EndpointSpec,
    FreshnessSpec,
    HealthSpec,
    LocalPath,
    ModelSpec,
    OutputsSpec,
    PicturesSpec,
    ShadowSpec,
    Spec,
    ZoneSpec,
)
from stream.traces_spec import TracesSpec
from stream.web_spec import WebSpec


class Settings(Spec):
    """Everything that a run is told. Hand each component its own section, never the whole."""

    transport: str = Field(
        "memory://",
        pattern=r"^(memory://|kafka://[^\s/@,:]+:[0-9]{1,5}(,[^\s/@,:]+:[0-9]{1,5})*)$",
        description="memory:// (one process) or kafka://host:port[,host:port]",
        json_schema_extra={"allowed": "memory:// or kafka://host:port[,host:port]"},
    )
    model: ModelSpec = Field(description="the network")
    shadow: ShadowSpec | None = Field(
        None,
        description="a second network beside it, which `maskstream segment --shadow` "
        "runs and `maskstream compare` judges; only for kafka://; null: none",
    )
    cameras: tuple[CameraSpec, ...] = Field(
        (),
        description="where pictures come from, and how they are looked at; on memory:// at least "
        "one, on kafka:// the list that `maskstream cameras apply` takes",
    )
    zones: tuple[ZoneSpec, ...] = Field((), description="parts of a camera's picture")
    rules: tuple[Rule, ...] = Field((), description="what becomes an alert")
    endpoints: tuple[EndpointSpec, ...] = Field((), description="webhooks that get alerts")
    evidence: EvidenceSpec | None = Field(
        None, description="pictures of what alerts tell of; null: none are stored"
    )
    outputs: OutputsSpec = Field(OutputsSpec(), description="files written beside the topics")
    freshness: FreshnessSpec = Field(FreshnessSpec(), description="how old a live result may be")
    camera_health: CameraHealthSpec = Field(
        CameraHealthSpec(), description="when a live camera is in trouble"
    )
    pictures: PicturesSpec = Field(PicturesSpec(), description="how pictures travel, and limits")
    allowed: AllowedSpec = Field(AllowedSpec(), description="where pictures may come from")
    credentials: LocalPath | None = Field(
        None,
        description="folder with a file NAME.yaml for each credential: user, password, and hosts, "
        "the names, addresses or networks that it may be sent to",
    )
    kafka: KafkaSpec = Field(KafkaSpec(), description="how Kafka is reached; only for kafka://")
    health: HealthSpec = Field(
        HealthSpec(), description="/livez, /readyz and /metrics of a role of its own"
    )
    web: WebSpec | None = Field(
        None,
        description="the live page and the HTTP API; null: `run` serves none, and `maskstream web` "
        "with the defaults below",
    )
    traces: TracesSpec | None = Field(
        None, description="where the time of single frames goes; null: no frame is traced"
    )
    drain: Duration = Field(
        10.0, gt=0, le=3600, description="on SIGTERM, what is in flight may take so long to finish"
    )

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def on_kafka(self) -> bool:
        """Whether topics lie on brokers; else they live and end with one process."""
        return self.transport.startswith("kafka:")

    @property
    def origin(self) -> Origin:
        """Where the settings were read from, so that a late error can still name the line."""
        return self._origin

    def read_from(self, origin: Origin) -> Self:
        """The same settings, which know where they were read from."""
        copy = self.model_copy()
        copy._origin = origin
        return copy
