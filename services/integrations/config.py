"""The settings of this service, from the environment. `.env.example` says what each means."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import msgspec

from services.common import addresses
from services.common.addresses import BaseUrl, Listen, UrlPrefix
from services.common.secret import Secret
from services.common.tokens import PublicKeys, parse_public_keys
from services.integrations.keyring import LocalKeyring, parse_keyring

Rate = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
"""Calls per second."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A field `stripe_api_base` is read from STRIPE_API_BASE."""

    database_url: Secret
    nats_url: Secret
    service_public_keys: PublicKeys
    credential_keys: LocalKeyring | None = None
    credential_keys_file: Path | None = None
    """Instead of `credential_keys`: a file of the same form, read again whenever it changes."""
    grpc_listen: Listen = Listen("127.0.0.1", 8401)
    public_url: BaseUrl | None = None
    """Where the provider reaches the gateway; without it there are no webhooks."""
    stripe_api_base: UrlPrefix = UrlPrefix("https://api.stripe.com")
    stripe_dashboard_base: UrlPrefix = UrlPrefix("https://dashboard.stripe.com")
    stripe_rate_live: Rate = 100
    """Calls per second that Stripe allows an account in live mode. It raises them for some."""
    stripe_rate_test: Rate = 25
    stripe_rate_per_operation: Rate = 25
    stripe_webhook_secret: Secret | None = None
    """Signing secret of the plain webhook address; several during a roll, separated by commas."""
    stripe_webhook_connection: UUID | None = None
    """The connection that the plain address is bound to."""
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
