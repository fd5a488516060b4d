"""The links of many invoices delivered: one durable run, whose queue its deliveries are."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from services.common.context import Identity
from services.common.db import Connection, Pool
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import new_id
from services.invoicing import events, repository, sending_terms
from services.invoicing.courier import mails_to
from services.invoicing.deliver import InvoiceNotFound
from services.invoicing.ledger import Ledger, RequestIdTaken
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.same_request import digest_of, require_same
from services.invoicing.sending_terms import Terms
from services.invoicing.shows import ShowNotFound


class SendingNotFound(NotFound):
    """There is no sending with this id in your workspace."""

    reason = "SENDING_NOT_FOUND"


class MoreByNow(ShowbillError):
    """There are {now} links to send by now, and you looked at {seen}. Nothing was sent: ask once more."""

    kind = Kind.OUTDATED
    reason = "MORE_BY_NOW"


@dataclass(frozen=True, slots=True)
class Many:
    """What the operator asked to send."""

    show_id: str
    invoice_ids: Sequence[str]
    """All that are unsent and payable when empty."""
    channel: str | None
    """None is by e-mail where the provider can mail it, else `otherwise`."""
    otherwise: str | None
    """None leaves them out."""
    request_id: str | None
    pay_link_base: str
    most_count: int | None = None
    """How many there were when somebody looked; None where nobody did."""

    @property
    def digest(self) -> str:
        """Names what is wished for, wherever its links lead."""
        most = () if self.most_count is None else (self.most_count,)
        return digest_of(sorted(set(self.invoice_ids)), self.channel, self.otherwise, *most)

    def require_no_more(self, count: int) -> None:
        """Raises MoreByNow: no mail is taken back."""
        if self.most_count is not None and count > self.most_count:
            raise MoreByNow(now=f"{count:,}", seen=f"{self.most_count:,}")


class Sendings:
    """The use cases. Raise ShowNotFound."""

    def __init__(self, ledger: Ledger, provider: Provider, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something to deliver."""
        self._ledger = ledger
        self._provider = provider
        self._wake = wake

    async def begin(self, identity: Identity, many: Many) -> asyncpg.Record:
        """Queues a delivery for each invoice in one transaction, and answers the run with its progress."""
        pool = self._ledger.pool
        if await pool.fetchrow(SQL["get_show"], many.show_id, identity.workspace_id) is None:
            raise ShowNotFound
        before = await _begun(pool, identity, many)
        terms = {} if before else await self._terms(identity, many.show_id, many.invoice_ids)
        if before is None:
            async with self._ledger.entry() as entry:
                # The lock of the show: two that are asked for at once do not queue the same link twice.
                await entry.connection.fetchrow(SQL["lock_show"], many.show_id, identity.workspace_id)
                before = await _begun(entry.connection, identity, many)
                if before is None:
                    before = await _queue(entry.connection, identity, many, terms)
                    begun = events.sending_started(str(before["id"]), before["total_count"])
                    await entry.tell([(identity.workspace_id, many.show_id, begun)])
            self._wake()
        return await self.get(identity.workspace_id, str(before["id"]))

    async def get(self, workspace_id: str, sending_id: str) -> asyncpg.Record:
        """Raises SendingNotFound."""
        row = await self._ledger.pool.fetchrow(SQL["sending_progress"], sending_id, workspace_id)
        if row is None:
            raise SendingNotFound
        return row

    async def list(self, workspace_id: str, sending_id: str, after: str | None, size: int) -> list[asyncpg.Record]:
        """The deliveries of a run, in the order of the show's invoices. Raises SendingNotFound."""
        await self.get(workspace_id, sending_id)
        return await self._ledger.pool.fetch(SQL["list_deliveries_of_sending"], sending_id, after, size)

    async def mailable(self, identity: Identity, show_id: str, invoice_ids: Sequence[str]) -> tuple[int, int]:
        """Amount (minor units) and count of what a run by e-mail would mail of a show of the caller's workspace."""
        terms = await self._terms(identity, show_id, invoice_ids)
        silent = [provider for provider, one in terms.items() if not one.emails]
        row = await self._ledger.pool.fetchrow(SQL["mailable"], show_id, list(invoice_ids) or None, silent)
        assert row is not None
        return row["amount"], row["count"]

    async def _terms(self, identity: Identity, show_id: str, invoice_ids: Sequence[str]) -> dict[str, Terms]:
        """Of each provider that the show's invoices are of: one, as a rule."""
        pool, found = self._ledger.pool, {}
        chosen = list(invoice_ids) or None
        for one in await pool.fetch(SQL["one_invoice_of_each_provider"], show_id, chosen):
            row = await pool.fetchrow(SQL["get_invoice"], one["id"], show_id, identity.workspace_id)
            assert row is not None
            invoice = repository.invoice(row)
            found[invoice.provider] = await sending_terms.of(self._provider, pool, identity, invoice)
        return found


async def _begun(database: Pool | Connection, identity: Identity, many: Many) -> asyncpg.Record | None:
    """The run that the same request began before. Raises RequestIdTaken."""
    row: asyncpg.Record | None = await database.fetchrow(
        SQL["sending_of_request"], identity.workspace_id, many.request_id
    )
    if row is not None:
        require_same(row, many.show_id, many.digest)
    return row


async def _queue(database: Connection, identity: Identity, many: Many, terms: dict[str, Terms]) -> asyncpg.Record:
    chosen = list(dict.fromkeys(many.invoice_ids)) or None
    rows = await database.fetch(SQL["invoices_to_send"], many.show_id, chosen)
    if chosen and len(rows) < len(chosen):
        raise InvoiceNotFound
    many.require_no_more(len(rows))
    channels = {str(row["id"]): _channel(row, many, terms) for row in rows}
    wanted = {
        str(row["id"]): channel
        for row in rows
        if (channel := channels[str(row["id"])]) and (chosen or not _under_way(row, channel))
    }
    providers = {str(row["id"]): row["provider"] for row in rows}
    left_out = Counter(channels.values())[None]
    values = (many.show_id, many.request_id, len(wanted), left_out, identity.actor, many.digest)
    run = await database.fetchrow(SQL["add_sending"], new_id(), identity.workspace_id, *values)
    if run is None:  # the same request for another show was a moment quicker
        raise RequestIdTaken
    await database.execute(
        SQL["queue_deliveries"],
        [new_id() for _ in wanted],
        list(wanted),
        list(wanted.values()),
        [_terms_of(terms, providers[one]).template for one in wanted],
        run["id"],
        many.pay_link_base,
        identity.actor,
    )
    return run


def _channel(row: asyncpg.Record, many: Many, terms: dict[str, Terms]) -> str | None:
    if many.channel:
        return many.channel
    mailable = mails_to(row["email"], row["told_email"]) and _terms_of(terms, row["provider"]).emails
    return "email" if mailable else many.otherwise


def _terms_of(terms: dict[str, Terms], provider: str) -> Terms:
    """Those of a provider whose first invoice came in the very moment are the usual ones."""
    return terms.get(provider) or Terms("", emails=True)


def _under_way(row: asyncpg.Record, channel: str) -> bool:
    """Queued already, or the messaging service was asked and has not answered."""
    channels = row["channels"] or []
    return "queued" in channels or channel in channels
