"""What the invoicing service is told by its environment. `.env.example` says what each variable means."""

from pathlib import Path
from typing import Annotated

import msgspec

from services.common import addresses
from services.common.addresses import Listen
from services.common.database_url import DatabaseUrl
from services.common.secret import Secret
from services.common.tokens import PublicKeys, SigningKey, parse_public_keys, parse_signing_key


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Field names are the variables' names in lower case."""

    database_url: DatabaseUrl
    nats_url: Secret
    service_signing_key: SigningKey
    service_public_keys: PublicKeys
    integrations_address: str
    grpc_listen: Listen = Listen("127.0.0.1", 8402)
    generation_concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 24
    """Invoices under way at once for one provider account, in this process."""
    generation_lease_seconds: Annotated[float, msgspec.Meta(ge=0.1)] = 45.0
    """After a process died, its invoices are taken up by another within this time."""
    catchup_seconds: Annotated[float, msgspec.Meta(ge=0.1)] = 3600.0
    """How often what happened at a provider account is read where webhooks work, and an open invoice at the most."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None


PARSERS = {**addresses.PARSERS, PublicKeys: parse_public_keys, SigningKey: parse_signing_key}
