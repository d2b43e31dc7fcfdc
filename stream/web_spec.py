"""Where the live page and the HTTP API are served, and to whom: the section ``web``."""

import ipaddress
from typing import Annotated

from pydantic import Field, StringConstraints

from stream.specs import Count, SecretSource, Spec, Switch

_Name = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])$"),
    Field(json_schema_extra={"allowed": "a host's name or address in lower case, without a port"}),
]


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine's own name for itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WebSpec(Spec):
    """The live page and the HTTP API."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        description="address; 0.0.0.0 in a container. Any but loopback takes a token",
    )
    port: Count = Field(8080, ge=0, le=65535, description="port; 0: any that is free")
    token: SecretSource | None = Field(
        None,
        description="where the token is that everybody has to show: {env: NAME} or {file: PATH}; "
        "at least 24 characters. null: none, on loopback only",
    )
    hosts: tuple[_Name, ...] = Field(
        (),
        max_length=50,
        description="names under which it is reached, besides loopback's own and `host`, as "
        "masks.example; others are refused",
    )
    segment: Switch = Field(
        False,
        description="`maskstream web` loads the model as well, for POST /v1/segment; `run` has it "
        "anyway",
    )
    max_bytes: Count = Field(
        8_000_000, ge=1_000, le=64_000_000, description="largest picture that is taken, bytes"
    )
    max_pixels: Count = Field(
        8_300_000,
        ge=1_024,
        le=100_000_000,
        description="largest picture that is taken, px in all (4K fits)",
    )
    queue: Count = Field(
        64, ge=1, le=1024, description="pictures that may wait for the model; more get a 429"
    )
