"""The browser or program that a request comes from, as far as sessions want to know it."""

import ipaddress
from dataclasses import dataclass
from typing import Any, Final

from litestar.connection import ASGIConnection

from services.gateway.identity.cookies import device_token, session_token

_LONGEST_USER_AGENT: Final = 300


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks to be let in."""

    address: str
    user_agent: str = ""
    token: str | None = None
    """Of the session that the browser brought along: signing in replaces it."""
    device: str | None = None
    """By which the browser says that it is a device of before."""


def visitor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    address = connection.client.host if connection.client else ""
    agent = connection.headers.get("user-agent", "")[:_LONGEST_USER_AGENT]
    return Visitor(address, agent, session_token(connection), device_token(connection))


def network_of(address: str) -> str:
    """What attempts are counted for: one address, or the network that one customer has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
