"""The network that a request comes from, to limit what one client can do."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

from flask import Request

IPV6_PREFIX = 64  # bits; a home or a server gets at least that many addresses (RFC 6177)
# As some proxies write an address into X-Forwarded-For: 192.0.2.1:4321, [2001:db8::1]:4321
WITH_PORT = re.compile(r"\[(.*)\](?::\d+)?|([^:]*):\d+")


def client_network(request: Request) -> str:
    """Return the client's IPv4 address, or the /64 of its IPv6 address.

    TRUSTED_PROXIES says whether that is the peer or what a proxy names. Text that is not an
    address, as of a Unix socket, is returned as it is.
    """
    text = request.remote_addr or ""
    if found := WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if not isinstance(address, IPv6Address):
        return text
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), IPV6_PREFIX), strict=False))
