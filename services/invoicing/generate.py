"""Generating the invoices of a show: the plan, the run that carries it out, and the retry of what failed."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec

from services.common.context import Identity
from services.common.db import Connection
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.ids import new_id
from services.invoicing import events, repository
from services.invoicing.claims import BuyerNotFound
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.plan import Action, Entry, Plan, Terms, plan
from services.invoicing.ledger import Change, Ledger
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound

TOKEN_BYTES: Final = 18
"""Of randomness in a pay link: 144 bits."""


class NotConnected(ShowbillError):
    """No payment provider is connected. Connect one under Integrations, then generate again."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_CONNECTED"


class NoClaims(ShowbillError):
    """Nobody has won anything in this show yet, so there is nothing to invoice."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_CLAIMS"


class PlanOutdated(ShowbillError):
    """Claims, prices or invoices changed since the plan was made. Look at the new plan, then start it."""

    kind = Kind.OUTDATED
    reason = "PLAN_OUTDATED"


class GenerationNotFound(NotFound):
    """There is no generation with this id in your workspace."""

    reason = "GENERATION_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator asked to generate."""

    show_id: str
    buyer_ids: Collection[str]
    """All buyers when empty."""
    plan_hash: str
    """Only this plan may run; the current one when empty."""
    request_id: str | None
    provider: str


class Generations:
    """The use cases of generations. Those with a show raise ShowNotFound."""

    def __init__(self, ledger: Ledger, provider: Provider, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something for the workers to do."""
        self._ledger = ledger
        self._provider = provider
        self._wake = wake

    async def plan(self, identity: Identity, asked: Asked) -> tuple[Plan, str]:
        """The plan and the show's currency. Changes nothing."""
        connection = await self._provider.connection(identity, asked.provider)
        async with self._ledger.pool.acquire() as database:
            show = await database.fetchrow(SQL["get_show"], asked.show_id, identity.workspace_id)
            if show is None:
                raise ShowNotFound
            return await _planned(database, show, connection, asked.buyer_ids), show["currency"]

    async def start(self, identity: Identity, asked: Asked) -> asyncpg.Record:
        """Writes one pending invoice for each buyer to be invoiced, and answers the run that makes them."""
        before = await self._ledger.pool.fetchrow(SQL["generation_of_request"], identity.workspace_id, asked.request_id)
        if before is not None:
            return before
        connection = _usable(await self._provider.connection(identity, asked.provider))
        async with self._ledger.entry() as entry:
            run = await _start(entry, identity, asked, connection)
        self._wake()
        return run

    async def get(self, workspace_id: str, generation_id: str) -> asyncpg.Record:
        found = await self._ledger.pool.fetchrow(SQL["get_generation"], generation_id, workspace_id)
        if found is None:
            raise GenerationNotFound
        return found

    async def retry(
        self, identity: Identity, show_id: str, invoice_ids: Sequence[str], provider: str
    ) -> asyncpg.Record | None:
        """Queues invoices in status error again; answers the run, or None when there was nothing to retry."""
        connection = await self._provider.connection(identity, provider)
        async with self._ledger.entry() as entry:
            show = await entry.connection.fetchrow(SQL["get_show"], show_id, identity.workspace_id)
            if show is None:
                raise ShowNotFound
            failed = await entry.connection.fetch(
                SQL["lock_failed"], show_id, identity.workspace_id, list(invoice_ids) or None
            )
            if not failed:
                return None
            run = await _queue_again(entry, identity, show_id, [row["id"] for row in failed], _usable(connection))
        self._wake()
        return run


def _usable(connection: ProviderConnection | None) -> ProviderConnection:
    if connection is None:
        raise NotConnected
    if not connection.active:
        raise NotConnected(connection.status_reason or None)
    return connection


async def _planned(
    database: Connection, show: asyncpg.Record, connection: ProviderConnection | None, chosen: Collection[str]
) -> Plan:
    terms = (
        replace(connection.limits, currency=show["currency"], healthy=connection.active)
        if connection
        else Terms(show["currency"], healthy=False)
    )
    positions = [repository.position(row) for row in await database.fetch(SQL["positions"], show["id"])]
    if chosen:
        if set(chosen) - {position.buyer.id for position in positions}:
            raise BuyerNotFound
        positions = [position for position in positions if position.buyer.id in chosen]
    return plan(positions, terms)


async def _start(
    entry: Transaction, identity: Identity, asked: Asked, connection: ProviderConnection
) -> asyncpg.Record:
    database = entry.connection
    show = await database.fetchrow(SQL["lock_show"], asked.show_id, identity.workspace_id)
    if show is None:
        raise ShowNotFound
    before = await database.fetchrow(SQL["generation_of_request"], identity.workspace_id, asked.request_id)
    if before is not None:
        return before
    planned = await _planned(database, show, connection, asked.buyer_ids)
    if not any(one.owed.line_count for one in planned.entries):
        raise NoClaims
    if asked.plan_hash and asked.plan_hash != planned.hash:
        raise PlanOutdated
    to_create = planned.having(Action.CREATE)
    if not to_create:
        running: asyncpg.Record | None = await database.fetchrow(SQL["running_generation"], asked.show_id)
        if running is not None:
            return running
    run = await _add_run(database, identity, asked, planned)
    if to_create:
        await _add_invoices(entry, identity, show, str(run["id"]), to_create, connection)
    return run


async def _add_run(database: Connection, identity: Identity, asked: Asked, planned: Plan) -> asyncpg.Record:
    to_create = planned.having(Action.CREATE)
    skipped = [
        {"buyer_id": one.buyer.id, "handle": one.buyer.handle, "reason": one.reason}
        for one in planned.having(Action.SKIP)
    ]
    run = await database.fetchrow(
        SQL["add_generation"],
        new_id(),
        identity.workspace_id,
        asked.show_id,
        "running" if to_create else "finished",
        asked.request_id,
        planned.hash,
        len(to_create),
        len(planned.entries) - len(to_create) - len(skipped),
        skipped,
        identity.actor,
    )
    assert run is not None
    return run


async def _add_invoices(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    run_id: str,
    planned: Sequence[Entry],
    connection: ProviderConnection,
) -> None:
    """Writes pay links, pending invoices, their first history and their events. The show must be locked."""
    database = entry.connection
    tokens = [one.buyer.pay_token or secrets.token_urlsafe(TOKEN_BYTES) for one in planned]
    await database.execute(SQL["add_pay_links"], show["id"], [one.buyer.id for one in planned], tokens)
    ids = [new_id() for _ in planned]  # in the order of the plan, hence listed by handle
    await database.execute(SQL["prefer_hash_joins"])
    rows = await database.fetch(
        SQL["add_pending_invoices"],
        show["id"],
        [one.buyer.id for one in planned],
        ids,
        [one.draft_reason for one in planned],
        [one.revision for one in planned],
        [msgspec.json.encode(_snapshot(one)).decode() for one in planned],
        identity.workspace_id,
        run_id,
        show["currency"],
        show["name"],
        (show["start_at"] or show["created_at"]).date(),
        connection.provider,
        connection.integration_id,
        connection.account_id,
        connection.livemode,
    )
    await database.execute(SQL["allow_nested_loops"])
    assert len(rows) == len(planned), "the lock of the show keeps claims and invoices as they were planned"
    made = {str(row["id"]): row["created_at"] for row in rows}
    invoices = [
        _pending(one, invoice_id, token, show, run_id, connection, made[invoice_id])
        for one, invoice_id, token in zip(planned, ids, tokens, strict=True)
    ]
    await database.execute(
        SQL["write_history"],
        ids,
        [1] * len(ids),
        [None] * len(ids),
        [Status.PENDING] * len(ids),
        ["It waits to be made at the provider."] * len(ids),
        [identity.actor] * len(ids),
    )
    workspace_id, show_id = identity.workspace_id, str(show["id"])
    await entry.tell([(workspace_id, show_id, events.invoice_updated(invoice, None)) for invoice in invoices])


def _snapshot(planned: Entry) -> dict[str, str]:
    buyer = planned.buyer
    return {
        "platform": buyer.platform,
        "platform_user_id": buyer.platform_user_id,
        "handle": buyer.handle,
        "display_name": buyer.display_name,
        "email": buyer.email,
    }


def _pending(
    planned: Entry,
    invoice_id: str,
    token: str,
    show: asyncpg.Record,
    run_id: str,
    connection: ProviderConnection,
    created_at: datetime,
) -> Invoice:
    """As the database has it, for the event."""
    return Invoice(
        id=invoice_id,
        workspace_id=str(show["workspace_id"]),
        show_id=str(show["id"]),
        buyer_id=planned.buyer.id,
        generation_id=run_id,
        platform=planned.buyer.platform,
        platform_user_id=planned.buyer.platform_user_id,
        handle=planned.buyer.handle,
        display_name=planned.buyer.display_name,
        email=planned.buyer.email,
        pay_token=token,
        status=Status.PENDING,
        draft_reason=planned.draft_reason,
        status_reason="",
        total=planned.owed.total,
        currency=show["currency"],
        line_count=planned.owed.line_count,
        unpriced_count=planned.owed.unpriced_count,
        revision=planned.revision,
        attempt=1,
        version=1,
        provider=connection.provider,
        external_account=connection.account_id,
        livemode=connection.livemode,
        external_id="",
        external_url="",
        external_url_at=None,
        provider_url="",
        number="",
        adjusted_at_provider=False,
        paid_at=None,
        sent_at=None,
        send_count=0,
        created_at=created_at,
        updated_at=created_at,
    )


async def _queue_again(
    entry: Transaction, identity: Identity, show_id: str, ids: Sequence[str], connection: ProviderConnection
) -> asyncpg.Record:
    database = entry.connection
    locked = [repository.invoice(row) for row in await database.fetch(SQL["lock_invoices"], ids)]
    run = await database.fetchrow(
        SQL["add_generation"],
        *(new_id(), identity.workspace_id, show_id, "running", None, "", len(locked), 0, [], identity.actor),
    )
    assert run is not None
    now = datetime.now(UTC)
    changes = []
    for invoice in locked:
        after = replace(
            invoice,
            status=Status.PENDING,
            status_reason="",
            attempt=invoice.attempt + 1,
            version=invoice.version + 1,
            generation_id=str(run["id"]),
            external_account=connection.account_id,
            livemode=connection.livemode,
            updated_at=now,
        )
        changes.append(Change(invoice, after, "It is tried once more.", identity.actor))
    await database.execute(
        SQL["queue_again"],
        [change.after.id for change in changes],
        [change.after.attempt for change in changes],
        run["id"],
        connection.integration_id,
        connection.account_id,
        connection.livemode,
    )
    await entry.change(changes)
    return run
