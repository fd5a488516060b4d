"""How a connection's links go out: by its settings of now; where they cannot be read, by those of the generation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from services.common.context import Identity
from services.common.db import Pool
from services.common.errors import ShowbillError
from services.invoicing.domain.invoice import Invoice
from services.invoicing.ledger import Entry
from services.invoicing.ports import Connection, Provider, passing
from services.invoicing.repository import SQL


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one provider."""

    template: str
    """Empty for the usual sentence."""
    emails: bool
    """Whether the provider mails at all."""


async def keep(
    entry: Entry, run: asyncpg.Record | None, connection: Connection, pay_link_base: str, choice: bool | None
) -> None:
    """Notes on a generation how its links go out. Without a base, that of the show's generation before stays.

    `choice` is whoever's who started it; None for as the connection's setting has it.
    """
    if run is not None:
        automatic = (connection.automatic_sending if choice is None else choice) and connection.emails
        terms = (automatic, connection.message_template, pay_link_base.rstrip("/"), choice)
        await entry.connection.execute(SQL["keep_sending_terms"], run["id"], *terms)


async def kept_choices(entry: Entry, invoice_ids: Sequence[str]) -> dict[str, bool | None]:
    """What whoever asked for these invoices chose; None where nobody did. To be asked before another run takes them."""
    rows = await entry.connection.fetch(SQL["kept_choices"], invoice_ids)
    return {str(row["id"]): row["choice"] for row in rows}


async def keep_own(entry: Entry, choices: Mapping[str, bool]) -> None:
    """Of invoices that their run brings together with others: they go by their own, not by the run's."""
    if choices:
        await entry.connection.execute(SQL["keep_own_choices"], list(choices), list(choices.values()))


async def of(provider: Provider, pool: Pool, identity: Identity, invoice: Invoice) -> Terms:
    """The terms of an invoice's provider. Asks the integrations service, hence never inside a transaction."""
    try:
        connection = await provider.connection(identity, invoice.provider)
    except ShowbillError as error:
        if not passing(error):
            raise
        return Terms(await pool.fetchval(SQL["kept_template"], invoice.generation_id), emails=True)
    return Terms(connection.message_template, connection.emails) if connection else Terms("", emails=True)
