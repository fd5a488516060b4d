"""The queue of generations, for invoices that stand: changes that a plan proposes, and failed invoices tried again."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from services.common.context import Identity
from services.common.db import Connection
from services.common.ids import new_id
from services.common.money import format_money
from services.invoicing import repository
from services.invoicing.domain.difference import Before, difference
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.plan import Entry
from services.invoicing.domain.rollup import ChangeKind
from services.invoicing.ledger import Change
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.queueing import announce, buyer_snapshot, pay_token
from services.invoicing.repository import SQL


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice is to bill, for one buyer of a plan."""

    entry: Entry
    lines: list[dict[str, Any]] | None
    """None where it bills just what is owed: those lines need not leave the database."""

    @property
    def total(self) -> int:
        """Minor units."""
        return self.entry.owed.total if self.lines is None else sum(line["amount"] for line in self.lines)

    @property
    def line_count(self) -> int:
        return self.entry.owed.line_count if self.lines is None else len(self.lines)

    @property
    def unpriced_count(self) -> int:
        if self.lines is None:
            return self.entry.owed.unpriced_count
        return sum(line["unit_price"] is None for line in self.lines)

    @property
    def lines_json(self) -> str | None:
        return None if self.lines is None else msgspec.json.encode(self.lines).decode()

    @property
    def invoice_id(self) -> str:
        """Of the invoice that stands."""
        assert self.entry.billed is not None
        return self.entry.billed.invoice_id


async def add_changes(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    planned: Sequence[Entry],
    connection: ProviderConnection,
) -> None:
    """Queues what a plan proposes, each to be carried out as it is planned now. Invoices and show must be locked."""
    bills = await _bills(entry.connection, show, planned)
    beside = [bill for bill in bills if bill.entry.change is ChangeKind.SUPPLEMENT]
    if beside:
        await _add_supplements(entry, identity, show, run_id, beside, connection)
    again = [bill for bill in bills if bill.entry.change is ChangeKind.RETRY]
    if again:
        await _again(entry, identity, show, run_id, again, connection)
    others = [bill for bill in bills if bill.entry.change not in (ChangeKind.SUPPLEMENT, ChangeKind.RETRY)]
    if others:
        await _plan_changes(entry, identity, show, run_id, others)


async def _bills(database: Connection, show: asyncpg.Record, planned: Sequence[Entry]) -> list[Bill]:
    """What is owed in lines; beside settled invoices the difference to them."""
    settled: defaultdict[str, list[Before]] = defaultdict(list)
    for row in await database.fetch(SQL["settled_invoices"], show["id"], [one.buyer.id for one in planned]):
        before = Before(row["number"], row["total"], row["line_items"], row["adjusted_at_provider"])
        settled[str(row["buyer_id"])].append(before)
    rows = await database.fetch(SQL["lines_owed"], show["id"], list(settled)) if settled else []
    owed = {str(row["buyer_id"]): row["line_items"] for row in rows}

    def bill(one: Entry) -> Bill:
        if one.buyer.id not in settled:
            return Bill(one, None)
        return Bill(one, difference(owed.get(one.buyer.id, []), settled[one.buyer.id], show["currency"]))

    return await asyncio.to_thread(lambda: [bill(one) for one in planned])


async def _add_supplements(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    bills: Sequence[Bill],
    connection: ProviderConnection,
) -> None:
    planned = [bill.entry for bill in bills]
    rows = await entry.connection.fetch(
        SQL["add_supplements"],
        show["id"],
        identity.workspace_id,
        run_id,
        show["currency"],
        show["name"],
        (show["start_at"] or show["created_at"]).date(),
        connection.provider,
        connection.integration_id,
        connection.account_id,
        connection.livemode,
        [new_id() for _ in bills],
        [one.buyer.id for one in planned],
        [bill.total for bill in bills],
        [bill.lines_json for bill in bills],
        [bill.line_count for bill in bills],
        [one.owed.digest for one in planned],
        [one.beside for one in planned],
        [buyer_snapshot(one) for one in planned],
        [one.revision for one in planned],
        [pay_token(one) for one in planned],
    )
    assert len(rows) == len(bills), "the lock of the show keeps claims and invoices as they were planned"
    added = await _locked(entry.connection, [str(row["id"]) for row in rows])
    await announce(entry, added, "It bills what came since the others were settled.", identity.actor)


async def _plan_changes(
    entry: Transaction, identity: Identity, show: asyncpg.Record, run_id: str, bills: Sequence[Bill]
) -> None:
    """What is asked for is told in the history of each invoice before anything is done about it."""
    ids = [bill.invoice_id for bill in bills]
    sentences = {bill.invoice_id: bill.entry.proposal.sentence for bill in bills if bill.entry.proposal}
    now = datetime.now(UTC)
    asked = [
        Change(one, replace(one, version=one.version + 1, updated_at=now), sentences[one.id], identity.actor)
        for one in await _locked(entry.connection, ids)
    ]
    columns = await asyncio.to_thread(_columns, bills)
    as_owed = [bill.entry.buyer.id for bill in bills if bill.lines is None]
    await entry.connection.execute(SQL["plan_by_size"])
    rows = await entry.connection.fetch(SQL["plan_changes"], run_id, ids, *columns, show["id"], now, as_owed)
    assert len(rows) == len(bills), "an invoice with a change under way is planned no other"
    await entry.tell_of(asked)


def _columns(bills: Sequence[Bill]) -> tuple[list[object], ...]:
    return (
        [_carried_out_as(bill.entry.change) for bill in bills],
        [bill.total for bill in bills],
        [bill.lines_json for bill in bills],
        [bill.line_count for bill in bills],
        [bill.unpriced_count for bill in bills],
        [bill.entry.owed.digest for bill in bills],
        [bill.entry.beside for bill in bills],
        [bill.entry.draft_reason for bill in bills],
        [buyer_snapshot(bill.entry) for bill in bills],
        [bill.entry.buyer.id for bill in bills],
    )


def _carried_out_as(change: ChangeKind | None) -> ChangeKind | None:
    """A failed invoice that bills something else now is looked for at the provider, voided, and issued anew."""
    return ChangeKind.REISSUE if change is ChangeKind.RETRY else change


def can_be_retried(planned: Entry) -> bool:
    """Whether a failed invoice has something to bill now."""
    billed = planned.billed
    failed = billed is not None and billed.status is Status.ERROR and billed.changing is None
    return failed and (planned.proposal is None or planned.change is ChangeKind.RETRY)


async def try_again(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    planned: Sequence[Entry],
    connection: ProviderConnection,
) -> None:
    """Failed invoices once more, with the claims and prices of now. Invoices and show must be locked."""
    await _again(entry, identity, show, run_id, await _bills(entry.connection, show, planned), connection)


async def _again(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    bills: Sequence[Bill],
    connection: ProviderConnection,
) -> None:
    """Some are made again as they are. Where another bill is due at the same account, what a failed try may have left
    there bills what was owed then: it is looked for and voided, and the next revision takes its place."""
    invoices = {one.id: one for one in await _locked(entry.connection, [bill.invoice_id for bill in bills])}
    here = Account(identity.workspace_id, connection.provider, connection.account_id, connection.livemode)
    anew = {
        bill.invoice_id
        for bill in bills
        if bill.entry.change is ChangeKind.RETRY and repository.account_of(invoices[bill.invoice_id]) == here
    }
    if anew:
        chosen = [bill for bill in bills if bill.invoice_id in anew]
        await _plan_changes(entry, identity, show, run_id, chosen)
    same = {bill.invoice_id: bill for bill in bills if bill.invoice_id not in anew}
    if same:
        await _queue_again(entry, identity, show, run_id, same, connection)


async def _queue_again(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    bills: Mapping[str, Bill],
    connection: ProviderConnection,
) -> None:
    """They become pending once more."""
    changes = [
        _once_more(one, bills[one.id], run_id, connection, identity.actor)
        for one in await _locked(entry.connection, list(bills))
    ]
    as_owed = [bill.entry.buyer.id for bill in bills.values() if bill.lines is None]
    await entry.connection.execute(SQL["plan_by_size"])
    await entry.connection.execute(
        SQL["queue_again"],
        [change.after.id for change in changes],
        [change.after.attempt for change in changes],
        run_id,
        connection.integration_id,
        connection.account_id,
        connection.livemode,
        [bills[change.after.id].entry.owed.digest for change in changes],
        [bills[change.after.id].entry.beside for change in changes],
        connection.provider,
        show["id"],
        as_owed,
    )
    await entry.change(changes)


def _once_more(invoice: Invoice, bill: Bill, run_id: str, connection: ProviderConnection, actor: str) -> Change:
    """A raised attempt: the provider is searched for what the earlier one left before anything is made."""
    after = replace(
        invoice,
        status=Status.PENDING,
        status_reason="",
        draft_reason=bill.entry.draft_reason,
        total=bill.total,
        line_count=bill.line_count,
        unpriced_count=bill.unpriced_count,
        attempt=invoice.attempt + 1,
        version=invoice.version + 1,
        generation_id=run_id,
        provider=connection.provider,
        external_account=connection.account_id,
        livemode=connection.livemode,
        told_email=invoice.email,
        updated_at=datetime.now(UTC),
    )
    reason = "It is tried once more."
    if after.total != invoice.total:
        was, now = (format_money(one.total, one.currency) for one in (invoice, after))
        reason += f" Claims or prices changed: the total was {was}, now it is {now}."
    return Change(invoice, after, reason, actor, bill.lines)


async def _locked(database: Connection, ids: Sequence[str]) -> list[Invoice]:
    return [repository.invoice(row) for row in await database.fetch(SQL["lock_invoices"], ids)]
