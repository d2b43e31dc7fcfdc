"""Which addresses anybody could reach, and which only this host or its network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is reached."""
_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
"""RFC 6890: IETF protocol assignments; Python 3.11 takes a part of it for public."""
_UNICAST6 = IPv6Network("2000::/3")
"""RFC 4291, IANA: the only part of IPv6 that is given out for global unicast."""


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet could reach.

    False for loopback, private, link-local, shared (RFC 6598), multicast, unspecified and reserved
    ones, also when written as IPv4 inside IPv6 (mapped, 6to4, NAT64).
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        ip = _inner(ip)
    if isinstance(ip, IPv6Address):
        return ip in _UNICAST6 and ip.is_global
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _ASSIGNMENTS)


def _inner(ip: IPv6Address) -> IPv4Address | IPv6Address:
    if ip in _NAT64:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or ip
