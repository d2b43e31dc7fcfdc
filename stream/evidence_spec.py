"""How pictures of what alerts tell of are kept: the section ``evidence`` of the settings."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from stream.specs import Duration, Label, SecretSource, Spec, anchored, file_path

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?")


def is_s3(store: str) -> bool:
    """Whether a store is a bucket; otherwise it is a folder."""
    return store.startswith("s3://")


def _a_store(store: str, info: ValidationInfo) -> str:
    path = file_path(store)
    if path is not None and "\0" not in store:
        return str(anchored(path, info))
    if not _BUCKET.fullmatch(store):
        raise PydanticCustomError("allowed", "a folder, or s3://bucket/prefix")
    return store.rstrip("/")


_URL = r"^[a-z][a-z0-9+.-]*://[^\s?#@]+$"
_UrlPrefix = Annotated[
    str,
    StringConstraints(pattern=_URL, max_length=1024),
    Field(json_schema_extra={"allowed": "a URL without user, ? and #, as https://host/path"}),
]


class S3Spec(Spec):
    """How a service that speaks S3 is reached."""

    endpoint: _UrlPrefix | None = Field(
        None, description="URL of the service; null: what the environment says, else Amazon's"
    )
    key: SecretSource | None = Field(
        None, description="where the key's id is: {env: NAME} or {file: PATH}; null: as endpoint"
    )
    secret: SecretSource | None = Field(None, description="where its secret is, likewise")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.key is None) != (self.secret is None):
            raise PydanticCustomError("fault", "allowed: both of key and secret, or none")
        return self


class EvidenceSpec(Spec):
    """Pictures of what alerts tell of: where they are stored, for how long, what is blurred."""

    store: Annotated[str, AfterValidator(_a_store)] = Field(
        min_length=1,
        max_length=4096,
        description="where pictures are stored: a folder, or s3://bucket/prefix",
    )
    link: _UrlPrefix | None = Field(
        None, description="the URL under which receivers reach the store; null: file:// or s3://"
    )
    keep: Duration = Field(
        30 * 86_400.0,
        ge=60,
        le=3650 * 86_400,
        description="what was stored longer ago is deleted",
    )
    blur: tuple[Label, ...] = Field(
        (), max_length=200, description="labels whose masks are made unrecognisable"
    )
    s3: S3Spec | None = Field(None, description="for s3://; null: what the environment says")

    @model_validator(mode="after")
    def _s3_is_for_buckets(self) -> Self:
        if self.s3 is not None and not is_s3(self.store):
            raise PydanticCustomError("fault", "s3 is given; allowed for a folder: null")
        return self
