"""Puts the service together."""

from functools import partial

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
from services.integrations.audit import Uses
from services.integrations.canary import check_keyring
from services.integrations.checking import Checking
from services.integrations.config import Config
from services.integrations.connect import Connecting
from services.integrations.customers import PostgresCustomerBook
from services.integrations.disconnect import Disconnecting
from services.integrations.holding import Holding
from services.integrations.integrations_servicer import IntegrationsServicer
from services.integrations.invoices_servicer import InvoiceProviderServicer
from services.integrations.issuing import Issuing
from services.integrations.keyfile import FileKeyring
from services.integrations.keyring import Keyring
from services.integrations.listening import Listening
from services.integrations.opening import Opener
from services.integrations.pacing import Pacer, Rates
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.vault import Vault
from services.integrations.webhooks import PlainAddress, Verifying
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc


class Service:
    """The running parts: the server, what is to be run beside it, the registry that is to be closed."""

    def __init__(self, config: Config, pool: Pool, bus: Bus, keyring: Keyring) -> None:
        self.outbox = Outbox(pool, bus)
        self.uses = Uses(pool)
        self.holding = Holding(pool, keyring)
        self.registry = Registry([_stripe(config, pool)])
        repository = Repository(pool, self.outbox)
        vault = Vault(keyring, self.uses.note)
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
            Verifying(pool, vault, opener, self.registry, _plain_address(config)),
            pool,
        )
        rpc.add_IntegrationsServiceServicer_to_server(servicer, self.server.server)
        rpc.add_InvoiceProviderServiceServicer_to_server(
            InvoiceProviderServicer(Issuing(opener, self.registry)),  # type: ignore[abstract]  # likewise
            self.server.server,
        )


async def open_keyring(config: Config, pool: Pool) -> Keyring:
    """The keys, once every canary has been opened with them. Raises CannotStart, naming the key that is not right."""
    if config.credential_keys_file is not None:
        keyring = FileKeyring(config.credential_keys_file, partial(check_keyring, pool))
        await keyring.load()
        return keyring
    assert config.credential_keys is not None, "the configuration has one of both"
    await check_keyring(pool, config.credential_keys)
    return config.credential_keys


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
