"""The settings of this service, from the environment. `.env.example` says what each means."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from services.common import addresses
from services.common.addresses import BaseUrl, Listen
from services.common.database_url import DatabaseUrl
from services.common.secret import Secret
from services.common.tokens import PublicKeys, parse_public_keys
from services.integrations.keyring import LocalKeyring, parse_keyring


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A field `database_url` is read from DATABASE_URL. What adapters have to set is in their factories."""

    database_url: DatabaseUrl
    nats_url: Secret
    service_public_keys: PublicKeys
    credential_keys: LocalKeyring | None = None
    credential_keys_file: Path | None = None
    """Instead of `credential_keys`: a file of the same form, read again whenever it changes."""
    grpc_listen: Listen = Listen("127.0.0.1", 8401)
    public_url: BaseUrl | None = None
    """Where the provider reaches the gateway; without it there are no webhooks."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None

    def __post_init__(self) -> None:
        if (self.credential_keys is None) == (self.credential_keys_file is None):
            raise ValueError(
                "Set one of CREDENTIAL_KEYS and CREDENTIAL_KEYS_FILE. See .env.example for what they mean."
            )


PARSERS: Final[dict[type, Callable[[str], object]]] = {
    **addresses.PARSERS,
    PublicKeys: parse_public_keys,
    LocalKeyring: parse_keyring,
}
