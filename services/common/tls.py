"""TLS between the services, by configuration: a certificate and key to show, an authority to check the other side."""

from pathlib import Path

import grpc


def server_credentials(cert: Path | None, key: Path | None, authority: Path | None) -> grpc.ServerCredentials | None:
    """None without a certificate. With an authority, clients must show a certificate that it signed (mTLS)."""
    if cert is None or key is None:
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
