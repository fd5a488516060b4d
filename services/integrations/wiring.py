"""Puts the service together."""

from services.common.bus import Bus
from services.common.db import Pool
from services.common.errors import CannotStart
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.common.server import Boundary, GrpcServer
from services.common.tls import server_credentials
from services.common.tokens import Verifier
from services.integrations.access import ACCESS, INTEGRATIONS, INVOICE_PROVIDER
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.checking import Checking
from services.integrations.config import Config
from services.integrations.connect import Connecting
from services.integrations.customers import PostgresCustomerBook
from services.integrations.disconnect import Disconnecting
from services.integrations.integrations_servicer import IntegrationsServicer
from services.integrations.invoices_servicer import InvoiceProviderServicer
from services.integrations.issuing import Issuing
from services.integrations.listening import Listening
from services.integrations.opening import Opener
from services.integrations.pacing import Pacer, Rates
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.settings import ChangingSettings
from services.integrations.terms import Terms
from services.integrations.vault import Vault
from services.integrations.webhooks import PlainAddress, Verifying
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc


class Service:
    """The running parts: the server, the outbox that is to be run, the registry that is to be closed."""

    def __init__(self, config: Config, pool: Pool, bus: Bus) -> None:
        self.outbox = Outbox(pool, bus)
        self.registry = Registry([_stripe(config, pool)])
        repository = Repository(pool, self.outbox)
        vault = Vault(config.credential_keys)
        opener = Opener(repository, vault)
        disconnecting = Disconnecting(repository, vault, self.registry)
        self.server = GrpcServer(
            str(config.grpc_listen),
            Boundary(Verifier("integrations", config.service_public_keys), ACCESS),
            (INTEGRATIONS, INVOICE_PROVIDER),
            server_credentials(config.tls_cert, config.tls_key, config.tls_ca),
        )
        servicer = IntegrationsServicer(  # type: ignore[abstract]  # what is announced only is left to the base
            repository,
            self.registry,
            Connecting(repository, vault, self.registry, Listening(vault, config.public_url or ""), disconnecting),
            disconnecting,
            Checking(repository, opener, self.registry),
            ChangingSettings(repository, self.registry),
            Verifying(pool, vault, self.registry, _plain_address(config)),
        )
        rpc.add_IntegrationsServiceServicer_to_server(servicer, self.server.server)
        rpc.add_InvoiceProviderServiceServicer_to_server(
            InvoiceProviderServicer(  # type: ignore[abstract]  # likewise
                Issuing(opener, self.registry, Terms(pool))
            ),
            self.server.server,
        )


def _stripe(config: Config, pool: Pool) -> StripeAdapter:
    rates = Rates(config.stripe_rate_live, config.stripe_rate_test, config.stripe_rate_per_operation)
    return StripeAdapter(
        config.stripe_api_base,
        config.stripe_dashboard_base,
        Pacer(pool, StripeAdapter.provider, rates),
        PostgresCustomerBook(pool, StripeAdapter.provider),
    )


def _plain_address(config: Config) -> PlainAddress | None:
    """None, which turns the plain address off, without its settings. Raises CannotStart for one without the other."""
    listed = config.stripe_webhook_secret.reveal().split(",") if config.stripe_webhook_secret else []
    secrets = [Secret(part.strip()) for part in listed if part.strip()]
    connection = config.stripe_webhook_connection
    if bool(secrets) != bool(connection):
        raise CannotStart(
            "The plain webhook address needs STRIPE_WEBHOOK_SECRET and STRIPE_WEBHOOK_CONNECTION. Set both or neither."
        )
    return PlainAddress(str(connection), secrets) if connection else None
