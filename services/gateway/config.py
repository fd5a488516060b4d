"""What the gateway reads from its environment."""

from pathlib import Path

import msgspec

from services.common import addresses
from services.common.addresses import BaseUrl, Listen, UrlPrefix
from services.common.database_url import DatabaseUrl
from services.common.secret import Secret
from services.common.tokens import SigningKey, parse_signing_key
from services.gateway.identity.oidc import OidcSettings
from services.gateway.proxies import Networks, parse_networks


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The variables are the field names in upper case; `.env.example` says what each means."""

    database_url: DatabaseUrl
    nats_url: Secret
    service_signing_key: SigningKey
    integrations_address: str
    invoicing_address: str
    http_listen: Listen = Listen("127.0.0.1", 8400)
    public_url: BaseUrl | None = None
    trusted_proxies: Networks = Networks()
    oidc_issuer: UrlPrefix | None = None
    oidc_client_id: str = ""
    oidc_client_secret: Secret | None = None
    oidc_name: str = "single sign-on"
    rate_limit: int = 6000
    rate_limit_anonymous: int = 600
    rate_limit_pay_links: int = 30_000
    sockets_per_credential: int = 200
    bootstrap_email: str = ""
    bootstrap_password: Secret | None = None
    bootstrap_workspace: str = "My workspace"
    bootstrap_api_token: Secret | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None

    def __post_init__(self) -> None:
        given = (self.oidc_issuer is not None, bool(self.oidc_client_id), self.oidc_client_secret is not None)
        if any(given) and not all(given):
            raise ValueError("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET go together. Set all three, or none.")

    def oidc(self) -> OidcSettings | None:
        """The sign-in provider, where one is set."""
        if self.oidc_issuer is None or self.oidc_client_secret is None:
            return None
        return OidcSettings(self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret, self.oidc_name)


PARSERS = {**addresses.PARSERS, SigningKey: parse_signing_key, Networks: parse_networks}
