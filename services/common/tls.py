"""TLS between the services, by configuration: a certificate and key to show, an authority to check the other side."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import grpc

from services.common.errors import CannotStart

_VARIABLES: Final = ("TLS_CERT", "TLS_KEY", "TLS_CA")


def problems(environment: Mapping[str, str]) -> list[str]:
    """A sentence for everything that is wrong with the variables of TLS. Half of it set must never mean plain text."""
    named = {name: environment.get(name, "").strip() for name in _VARIABLES}
    found = [
        f"{name} names {path}, which is no file that can be read."
        for name, path in named.items()
        if path and not os.access(Path(path).expanduser(), os.R_OK)
    ]
    if bool(named["TLS_CERT"]) != bool(named["TLS_KEY"]):
        found.append("TLS_CERT and TLS_KEY belong together: set both or neither.")
    return found


def server_credentials(cert: Path | None, key: Path | None, authority: Path | None) -> grpc.ServerCredentials | None:
    """None without a certificate. With an authority, clients must show a certificate that it signed (mTLS).

    Raises CannotStart for an authority alone: whoever names one does not expect to be listened to in plain text.
    """
    if cert is None or key is None:
        if authority is not None:
            raise CannotStart("TLS_CA is set, and this service has nothing to show: set TLS_CERT and TLS_KEY too.")
        return None
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), cert.read_bytes())],
        authority.read_bytes() if authority else None,
        require_client_auth=authority is not None,
    )


def channel_credentials(cert: Path | None, key: Path | None, authority: Path | None) -> grpc.ChannelCredentials | None:
    """None without an authority, which means plain text."""
    if authority is None:
        return None
    return grpc.ssl_channel_credentials(
        authority.read_bytes(), key.read_bytes() if key else None, cert.read_bytes() if cert else None
    )
