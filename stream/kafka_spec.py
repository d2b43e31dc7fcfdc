"""What a user writes down about Kafka; for `stream.specs`, in words of Kafka."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from stream.specs import Count, Lasting, LocalPath, SecretSource, Spec

Topic = Literal[
    "frames", "frames-archive", "masks", "tracks", "alerts", "camera-status", "deliveries",
    "dead-letters",
]  # fmt: skip
"""Topics whose retention can be chosen."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
RETENTION_S: Mapping[str, float] = {
    "frames": 10 * MINUTE,
    "frames-archive": 2 * DAY,
    "masks": 3 * DAY,
    "tracks": 6 * HOUR,
    "alerts": 28 * DAY,
    "deliveries": 7 * DAY,
    "dead-letters": 7 * DAY,
}
"""How long topics are kept where nobody chooses."""


class TlsSpec(Spec):
    """Encryption, and who we are where brokers ask for a client certificate."""

    ca: LocalPath | None = Field(None, description="certificate authorities (PEM); null: system's")
    certificate: LocalPath | None = Field(None, description="our certificate (PEM)")
    key: LocalPath | None = Field(None, description="its private key (PEM)")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise PydanticCustomError("fault", "allowed: certificate and key together, or neither")
        return self


class SaslSpec(Spec):
    """A name and a password."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how the password is proven"
    )
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="name of the user"
    )
    password: SecretSource = Field(description="where the password is: {env: NAME} or {file: PATH}")


class KafkaSpec(Spec):
    """How Kafka is reached, and what its topics are like. Only for ``kafka://``."""

    prefix: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,79})?$",
        description="stands before the name of every topic and group: a tenant has its own",
        json_schema_extra={"allowed": "letters, digits, '.', '_' and '-', at most 80"},
    )
    client_id: str = Field(
        "maskstream",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="what brokers call us in logs and quotas",
        json_schema_extra={"allowed": "letters, digits, '.', '_' and '-', at most 100"},
    )
    partitions: Count = Field(
        48, ge=1, le=1000, description="of each topic with cameras as keys; chosen once, for good"
    )
    replication: Count = Field(
        3, ge=1, le=9, description="copies of each partition; with 3, one broker may be lost"
    )
    retention: dict[Topic, Lasting] = Field(
        {},
        description="how long a topic is kept where the default does not suit",
        json_schema_extra={"allowed": "a time for each topic, as {frames: 10m, masks: 3d}"},
    )
    tls: TlsSpec | None = Field(None, description="encrypt; null: plain text")
    sasl: SaslSpec | None = Field(None, description="log in; null: without")
