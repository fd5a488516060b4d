"""Proxies before us: what they say of a client counts only where the setting names them."""

import ipaddress
from typing import Any, Final, TypeAlias

import structlog

log = structlog.get_logger()

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_SECURE: Final = {"http": "https", "ws": "wss"}


class Networks(tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]):
    """The networks that trusted proxies are in."""

    __slots__ = ()


def parse_networks(text: str) -> Networks:
    """Reads `10.0.0.0/8, fd00::/8`. Raises ValueError."""
    try:
        return Networks(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError("it must be networks separated by commas, for example 10.0.0.0/8, 127.0.0.1/32") from error


class Proxies:
    """Settles who the client is, and whether it speaks TLS."""

    def __init__(self, trusted: Networks, *, secure: bool) -> None:
        """`secure` where the world finds us by https alone, so that no header need say so."""
        self._trusted = trusted
        self._secure = secure
        self._heard_of_another = False

    def settle(self, scope: Any) -> None:
        """Puts the true client and scheme into an ASGI scope."""
        client = scope.get("client")
        believed = self._trusted and client is not None and self._trusts(_parsed(client[0]))
        if not believed and not self._heard_of_another:
            self._hear_of_another(scope)
        if believed:
            scope["client"] = (self._client(client[0], _all(scope, b"x-forwarded-for")), 0)
        told = _all(scope, b"x-forwarded-proto") if believed else []
        if self._secure or (told and told[-1].lower() == "https"):
            scope["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])

    def _hear_of_another(self, scope: Any) -> None:
        """Once: whoever runs us may have forgotten to name a proxy, and all its clients count as one."""
        if any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._heard_of_another = True
            todo = "if that is a proxy of yours, name its network in TRUSTED_PROXIES: its clients all count as one"
            log.warning("somebody whom we do not trust speaks for others", peer=str(scope.get("client")), todo=todo)

    def _client(self, peer: str, chain: list[str]) -> str:
        """The last address of the chain that is none of our proxies; what stands left of it may be made up."""
        nearest = peer
        for hop in reversed(chain):
            address = _parsed(hop)
            if address is None:
                return nearest
            nearest = str(address)
            if not self._trusts(address):
                return nearest
        return nearest

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        host, separator, port = text.rpartition(":")  # some proxies write the client's port too
        return _parsed(host) if separator and port.isdecimal() and host else None
    return getattr(address, "ipv4_mapped", None) or address


def _all(scope: Any, name: bytes) -> list[str]:
    """The values of a header that is a list, whether in one line or in several."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for part in ",".join(lines).split(",") if part.strip()]
