"""TLS between the services, with real certificates over a real socket."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.common import tls
from services.common.client import GrpcClient
from services.common.errors import CannotStart
from services.common.secret import Secret
from services.common.server import Boundary, GrpcServer
from services.common.tokens import PublicKeys, Signer, Verifier

SEED = Secret(base64.b64encode(b"t" * 32).decode())


@dataclass
class Party:
    """A certificate and its key, as files; `issue` makes one that this one has signed."""

    cert: Path
    key: Path
    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    def issue(self, folder: Path, name: str) -> "Party":
        return party(folder, name, self)


def party(folder: Path, name: str, authority: Party | None = None) -> Party:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(authority.private if authority else private, hashes.SHA256())
    )
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return Party(cert, key, certificate, private)


async def reaches(server: GrpcServer, credentials: grpc.ChannelCredentials | None) -> bool:
    client = GrpcClient(f"localhost:{server.port}", "invoicing", Signer("gateway", SEED), credentials)
    try:
        return await client.serving(5)
    finally:
        await client.close()


def serve(credentials: Any) -> GrpcServer:
    return GrpcServer("localhost:0", Boundary(Verifier("invoicing", PublicKeys()), {}), (), credentials)


async def test_only_who_the_authority_signed_may_connect(tmp_path: Path) -> None:
    authority, stranger = party(tmp_path, "authority"), party(tmp_path, "stranger")
    one, other = authority.issue(tmp_path, "one"), authority.issue(tmp_path, "other")
    server = serve(tls.server_credentials(one.cert, one.key, authority.cert))
    await server.start()
    assert await reaches(server, tls.channel_credentials(other.cert, other.key, authority.cert))
    assert not await reaches(server, tls.channel_credentials(stranger.cert, stranger.key, authority.cert))
    assert not await reaches(server, tls.channel_credentials(None, None, authority.cert))
    assert not await reaches(server, None)
    await server.stop(0)


async def test_a_server_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    authority, stranger = party(tmp_path, "authority"), party(tmp_path, "stranger")
    server = serve(tls.server_credentials(stranger.cert, stranger.key, None))
    await server.start()
    assert not await reaches(server, tls.channel_credentials(None, None, authority.cert))
    await server.stop(0)


def test_without_settings_there_is_plain_text() -> None:
    assert tls.problems({}) == []
    assert tls.server_credentials(None, None, None) is None
    assert tls.channel_credentials(None, None, None) is None


@pytest.mark.parametrize("name", ["TLS_CERT", "TLS_KEY"])
def test_half_a_pair_is_a_problem_not_plain_text(name: str, tmp_path: Path) -> None:
    there = party(tmp_path, "there").cert
    assert tls.problems({name: str(there)}) == ["TLS_CERT and TLS_KEY belong together: set both or neither."]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert tls.problems({"TLS_CA": str(missing)}) == [f"TLS_CA names {missing}, which is no file that can be read."]


def test_a_server_with_an_authority_alone_does_not_start(tmp_path: Path) -> None:
    authority = party(tmp_path, "authority")
    with pytest.raises(CannotStart, match="TLS_CERT and TLS_KEY"):
        tls.server_credentials(None, None, authority.cert)
