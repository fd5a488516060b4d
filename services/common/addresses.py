"""Addresses as settings name them: where to listen, and where others are found."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from services.common.database_url import DatabaseUrl, parse_database_url


class Listen:
    """Where to listen; port 0 takes any free one."""

    __slots__ = ("host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def __str__(self) -> str:
        """As gRPC and addresses of the web want it: the host of IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    __repr__ = __str__


def parse_listen(text: str) -> Listen:
    """Reads `host:port`, the host of IPv6 in brackets. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or not (port.isascii() and port.isdecimal()) or not host or int(port) > 65535:
        raise ValueError("it must be host:port, for example 127.0.0.1:8400")
    return Listen(host.strip("[]"), int(port))


class BaseUrl(str):
    """An address without path, for example `https://showbill.example`; no slash at its end."""

    __slots__ = ()

    @property
    def secure(self) -> bool:
        return self.startswith("https://")


def parse_base_url(text: str) -> BaseUrl:
    """Raises ValueError for anything but scheme, host and port."""
    parts = _split(text)
    if parts is None or parts.path.strip("/"):
        raise ValueError("it must be an http or https address without a path, for example https://showbill.example")
    return BaseUrl(f"{parts.scheme}://{parts.netloc.lower()}")


class UrlPrefix(str):
    """An address that paths are put behind, for example `https://dashboard.stripe.com`; no slash at its end."""

    __slots__ = ()


def parse_url_prefix(text: str) -> UrlPrefix:
    """Raises ValueError for anything but scheme, host, port and path."""
    parts = _split(text)
    if parts is None:
        raise ValueError("it must be an http or https address, for example https://api.stripe.com")
    return UrlPrefix(f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}")


def _split(text: str) -> SplitResult | None:
    """None for what is no plain address of the web: names and passwords in it, queries and fragments count as none."""
    if any(character.isspace() or character in "@?#\\" for character in text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        return None
    return parts if usable else None


PARSERS: Final[Mapping[type, Callable[[str], object]]] = {
    DatabaseUrl: parse_database_url,
    Listen: parse_listen,
    BaseUrl: parse_base_url,
    UrlPrefix: parse_url_prefix,
}
"""For the configuration of a service."""
