"""Puts the service together."""

from functools import partial

import msgspec

from services.common.bus import Bus
from services.common.db import Pool
from services.common.outbox import Outbox
from services.common.server import Boundary, GrpcServer
from services.common.tls import server_credentials
from services.common.tokens import Verifier
from services.integrations.access import ACCESS, INTEGRATIONS, INVOICE_PROVIDER
from services.integrations.audit import Uses
from services.integrations.canary import check_keyring
from services.integrations.catalogue import Catalogue
from services.integrations.checking import Checking
from services.integrations.config import Config
from services.integrations.connect import Connecting
from services.integrations.customers import PostgresCustomerBook
from services.integrations.disconnect import Disconnecting
from services.integrations.discovery import offers, part
from services.integrations.holding import Holding
from services.integrations.integrations_servicer import IntegrationsServicer
from services.integrations.invoices_servicer import InvoiceProviderServicer
from services.integrations.issuing import Issuing
from services.integrations.keyfile import FileKeyring
from services.integrations.keyring import Keyring
from services.integrations.listening import Listening
from services.integrations.offers import Lent, Made
from services.integrations.opening import Opener
from services.integrations.own_invoices import PostgresInvoiceStore
from services.integrations.pacing import Pacer
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.settings import ChangingSettings
from services.integrations.terms import Terms
from services.integrations.vault import Vault
from services.integrations.webhooks import Verifying
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as rpc


class Service:
    """The running parts: the server, what is to be run beside it, the registry that is to be closed."""

    def __init__(self, config: Config, environment: msgspec.Struct, pool: Pool, bus: Bus, keyring: Keyring) -> None:
        """`environment` holds the settings of the adapters."""
        self.outbox = Outbox(pool, bus)
        self.uses = Uses(pool)
        self.holding = Holding(pool, keyring)
        made = _made(pool, environment)
        self.registry = Registry([one.adapter for one in made])
        catalogue = Catalogue([offer.entry for offer in offers()])
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
        servicer = IntegrationsServicer(
            catalogue,
            repository,
            self.registry,
            Connecting(
                catalogue, repository, vault, self.registry, Listening(vault, config.public_url or ""), disconnecting
            ),
            disconnecting,
            Checking(repository, opener, self.registry),
            ChangingSettings(repository, self.registry),
            Verifying(pool, vault, opener, self.registry, [one.plain_address for one in made if one.plain_address]),
            pool,
        )
        rpc.add_IntegrationsServiceServicer_to_server(servicer, self.server.server)
        rpc.add_InvoiceProviderServiceServicer_to_server(
            InvoiceProviderServicer(Issuing(opener, self.registry, Terms(pool))),
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


def _made(pool: Pool, environment: msgspec.Struct) -> list[Made]:
    return [offer.make(part(offer.settings, environment), _lent(pool, offer.entry.provider)) for offer in offers()]


def _lent(pool: Pool, provider: str) -> Lent:
    return Lent(
        partial(Pacer, pool, provider), PostgresCustomerBook(pool, provider), PostgresInvoiceStore(pool, provider)
    )
