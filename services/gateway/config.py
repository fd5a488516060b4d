"""What the gateway reads from its environment."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from services.common.secret import Secret


class Listen:
    """Where to listen; port 0 takes any free one."""

    __slots__ = ("host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port


def parse_listen(text: str) -> Listen:
    """Reads `host:port`, the host of IPv6 in brackets. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or not host or int(port) > 65535:
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
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("it must be an http or https address without a path, for example https://showbill.example")
    return BaseUrl(f"{parts.scheme}://{parts.netloc}")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The variables are the field names in upper case; `.env.example` says what each means."""

    database_url: Secret
    nats_url: Secret
    service_signing_key: Secret
    integrations_address: str
    invoicing_address: str
    http_listen: Listen = Listen("127.0.0.1", 8400)
    public_url: BaseUrl | None = None
    bootstrap_email: str = ""
    bootstrap_password: Secret | None = None
    bootstrap_workspace: str = "My workspace"
    bootstrap_api_token: Secret | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None


PARSERS = {Listen: parse_listen, BaseUrl: parse_base_url}
