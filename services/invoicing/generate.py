"""Generating the invoices of a show: the plan, the run that carries it out, and the retry of what failed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from services.common.context import Identity
from services.common.db import Connection, Pool
from services.common.errors import Kind, NotFound, ShowbillError
from services.common.money import format_money
from services.invoicing import queueing, queueing_changes, repository, sending_terms
from services.invoicing.claims import BuyerNotFound
from services.invoicing.domain.plan import Action, Entry, Plan, Wishes, plan
from services.invoicing.domain.rollup import ChangeKind
from services.invoicing.domain.terms import Terms
from services.invoicing.ledger import Entry as Transaction
from services.invoicing.ledger import Ledger
from services.invoicing.ports import Connection as ProviderConnection
from services.invoicing.ports import Provider
from services.invoicing.repository import SQL
from services.invoicing.same_request import digest_of, require_same
from services.invoicing.shows import ShowNotFound


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

    # Its detail plan_hash names the new plan.

    kind = Kind.OUTDATED
    reason = "PLAN_OUTDATED"


class OwesOtherwise(ShowbillError):
    """The invoices come to {now} by now, and you looked at {seen}. Nothing was made: look at them again."""

    kind = Kind.OUTDATED
    reason = "OWES_OTHERWISE"


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
    wishes: Wishes
    except_buyer_ids: Collection[str] = ()
    """Left out of the plan that was looked at; its hash names the whole of it."""
    pay_link_base: str = ""
    """What pay paths are joined to in messages that are sent on their own; without it none are."""
    automatic_sending: bool | None = None
    """Whether links go out on their own; None for as the connection's setting has it."""
    expected_total: int | None = None
    """Minor units that the invoices to make are to come to in all; None where nobody says."""

    @property
    def digest(self) -> str:
        """Names what is wished for, wherever its links lead."""
        whom = (sorted(self.buyer_ids), sorted(self.except_buyer_ids))
        sends = () if self.automatic_sending is None else (self.automatic_sending,)
        sums = () if self.expected_total is None else ("total", self.expected_total)
        return digest_of(self.provider, self.plan_hash, *whom, self.wishes.changes, self.wishes.emails, *sends, *sums)

    def require_sum(self, planned: Plan, currency: str) -> None:
        """Of a plan that makes something. Raises OwesOtherwise."""
        seen, now = self.expected_total, planned.create_total
        if seen is not None and seen != now and planned.having(Action.CREATE):
            raise OwesOtherwise(now=format_money(now, currency), seen=format_money(seen, currency))


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
            return await _planned(database, show, connection, asked), show["currency"]

    async def start(self, identity: Identity, asked: Asked) -> asyncpg.Record:
        """Writes one pending invoice for each buyer to be invoiced, and queues the changes that are asked for.

        Answers the run that makes them.
        """
        before = await _begun(self._ledger.pool, identity, asked)
        if before is not None:
            return before
        connection = usable(await self._provider.connection(identity, asked.provider))
        async with self._ledger.entry() as entry:
            run = await _start(entry, identity, asked, connection)
        self._wake()
        return run

    async def get(self, workspace_id: str, generation_id: str) -> asyncpg.Record:
        found = await self._ledger.pool.fetchrow(SQL["get_generation"], generation_id, workspace_id)
        if found is None:
            raise GenerationNotFound
        return found

    async def retry(self, identity: Identity, show_id: str, invoice_ids: Sequence[str]) -> asyncpg.Record | None:
        """Queues invoices in status error again, each at its own provider, with the claims and prices of now.

        Answers the run, or None when there was nothing to retry.
        """
        providers = await self._ledger.pool.fetch(
            SQL["failed_providers"], show_id, identity.workspace_id, list(invoice_ids) or None
        )
        connections = {row["provider"]: await self._provider.connection(identity, row["provider"]) for row in providers}
        async with self._ledger.entry() as entry:
            show = await entry.connection.fetchrow(SQL["get_show"], show_id, identity.workspace_id)
            if show is None:
                raise ShowNotFound
            failed = await entry.connection.fetch(
                SQL["lock_failed"], show_id, identity.workspace_id, list(invoice_ids) or None
            )
            if not failed:
                return None
            buyers: defaultdict[str, set[str]] = defaultdict(set)
            for row in failed:
                buyers[row["provider"]].add(str(row["buyer_id"]))
            able = {provider: usable(connections.get(provider)) for provider in buyers}
            show = await entry.connection.fetchrow(SQL["lock_show"], show_id, identity.workspace_id)
            assert show is not None
            connection = next(iter(able.values()))
            chosen = await sending_terms.kept_choices(entry, [row["id"] for row in failed])
            choice = next(iter(chosen.values())) if len(set(chosen.values())) == 1 else None
            run = await _retry(entry, identity, show, buyers, able)
            await sending_terms.keep(entry, run, connection, "", choice)
            mails = {str(row["id"]): able[row["provider"]].emails for row in failed}
            own = {one: sends and mails[one] for one, sends in chosen.items() if sends is not None and sends != choice}
            await sending_terms.keep_own(entry, own)
        self._wake()
        return run


def usable(connection: ProviderConnection | None) -> ProviderConnection:
    """Raises NotConnected."""
    if connection is None:
        raise NotConnected
    if not connection.active:
        raise NotConnected(connection.status_reason or None)
    return connection


async def _planned(
    database: Connection, show: asyncpg.Record, connection: ProviderConnection | None, asked: Asked
) -> Plan:
    terms = connection.terms(show["currency"]) if connection else Terms(show["currency"], healthy=False)
    rows = await database.fetch(SQL["positions"], show["id"])
    # In a thread: 20,000 buyers take the better part of a second, in which the loop has others to serve.
    return await asyncio.to_thread(_plan_of, rows, terms, asked)


def _plan_of(rows: Sequence[asyncpg.Record], terms: Terms, asked: Asked) -> Plan:
    positions = [repository.position(row) for row in rows]
    chosen = asked.buyer_ids
    if chosen:
        if set(chosen) - {position.buyer.id for position in positions}:
            raise BuyerNotFound
        positions = [position for position in positions if position.buyer.id in chosen]
    return plan(positions, terms, asked.wishes)


async def _begun(database: Pool | Connection, identity: Identity, asked: Asked) -> asyncpg.Record | None:
    """The run that the same request began before. Raises RequestIdTaken."""
    found: asyncpg.Record | None = await database.fetchrow(
        SQL["generation_of_request"], identity.workspace_id, asked.request_id
    )
    if found is not None:
        require_same(found, asked.show_id, asked.digest)
    return found


async def _start(
    entry: Transaction, identity: Identity, asked: Asked, connection: ProviderConnection
) -> asyncpg.Record:
    database = entry.connection
    locked = await _lock_what_may_change(database, identity, asked)
    show = await database.fetchrow(SQL["lock_show"], asked.show_id, identity.workspace_id)
    if show is None:
        raise ShowNotFound
    before = await _begun(database, identity, asked)
    if before is not None:
        return before
    whole = await _planned(database, show, connection, asked)
    if not whole.to_change and not any(one.owed.line_count for one in whole.entries):
        raise NoClaims
    planned = whole.without(asked.except_buyer_ids)
    to_create, to_change = planned.having(Action.CREATE), planned.to_change
    if (asked.plan_hash and asked.plan_hash != whole.hash) or not _standing(to_change) <= locked:
        raise PlanOutdated(plan_hash=whole.hash)
    asked.require_sum(planned, show["currency"])
    if not to_create and not to_change:
        running: asyncpg.Record | None = await database.fetchrow(SQL["running_generation"], asked.show_id)
        if running is not None:
            return running
    run = await queueing.add_run(database, identity, asked.show_id, (asked.request_id, asked.digest), planned)
    await sending_terms.keep(entry, run, connection, asked.pay_link_base, asked.automatic_sending)
    if to_create:
        await queueing.add_invoices(entry, identity, show, run, to_create, connection)
    if to_change:
        await queueing_changes.add_changes(entry, identity, show, str(run["id"]), to_change, connection)
    return run


async def _lock_what_may_change(database: Connection, identity: Identity, asked: Asked) -> set[str]:
    """Invoices are locked before their show, by everybody. Without wishes nothing that exists is touched."""
    show = await database.fetchrow(SQL["get_show"], asked.show_id, identity.workspace_id)
    if show is None or asked.wishes == Wishes():
        return set()
    return {str(row["id"]) for row in await database.fetch(SQL["lock_unsettled"], show["id"])}


def _standing(to_change: Sequence[Entry]) -> set[str]:
    """The invoices themselves that are changed: a supplement leaves what it stands beside as it is."""
    return {
        entry.billed.invoice_id for entry in to_change if entry.billed and entry.change is not ChangeKind.SUPPLEMENT
    }


async def _retry(
    entry: Transaction,
    identity: Identity,
    show: asyncpg.Record,
    buyers: Mapping[str, Collection[str]],
    connections: Mapping[str, ProviderConnection],
) -> asyncpg.Record | None:
    """The run that tries failed invoices of these buyers again, given by provider; None when nothing is owed on any."""
    rows = await entry.connection.fetch(SQL["positions"], show["id"])

    def planned(provider: str) -> list[Entry]:
        positions = [repository.position(row) for row in rows if str(row["id"]) in buyers[provider]]
        entries = plan(positions, connections[provider].terms(show["currency"]), Wishes(changes=True)).entries
        return [one for one in entries if queueing_changes.can_be_retried(one)]

    again = {provider: await asyncio.to_thread(planned, provider) for provider in buyers}
    count = sum(map(len, again.values()))
    if not count:
        return None
    run = await queueing.add_run_of(entry.connection, identity, str(show["id"]), count)
    for provider, entries in again.items():
        await queueing_changes.try_again(entry, identity, show, str(run["id"]), entries, connections[provider])
    return run
