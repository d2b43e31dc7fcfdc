"""Which addresses an endpoint may have without being asked twice."""

import pytest

from stream.config import is_public
from stream.config.urls import endpoint_url_fault

PRIVATE = (
    "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 192.0.0.192 "
    "192.168.1.1 198.18.0.1 203.0.113.1 224.0.0.1 239.1.2.3 240.0.0.1 255.255.255.255 :: ::1 "
    "::127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a00:1 "
    "64:ff9b:1::1 100::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: fc00::1 fd12:3456::1 fe80::1 "
    "fe80::1%eth0 fec0::1 ff02::1 ff0e::1 "
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_address_that_is_not_for_everybody_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:1.1.1.1"]
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_endpoint_there_is_refused_before_anything_starts(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    fault = endpoint_url_fault(f"https://{host}/hook", allow_private=False)

    assert fault == "a public address, or a private one with allow_private: true"
