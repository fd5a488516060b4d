"""Claims, prices, operators, payments and failures all at once, on two replicas: in the end the money is right.

A seed draws what happens; one that failed is tried again with `SHOWBILL_STORM_SEEDS=<seed>`, though what runs at once
goes in another order each time. `make chaos` runs fifty.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import pytest

from services.cli.embedded.nats import Nats
from services.common.errors import Kind
from services.common.status import RemoteError
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import Sighting
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.conftest import SEEDS as KEYS
from tests.invoicing.conftest import Replica, running_replica
from tests.invoicing.events_seen import event
from tests.invoicing.fake_provider import Away, FakeProvider, Refused, TooFast
from tests.waiting import eventually

SEEDS: Final = [int(seed) for seed in os.environ.get("SHOWBILL_STORM_SEEDS", "1").split()]
ROUNDS: Final = 20 if len(SEEDS) == 1 else 30
BUYERS, ITEMS = 4, 5
PRICES = (None, 0, 29, 500, 999, 1500)
FAULTS = (Kind.INTERNAL, Kind.TIMED_OUT)
"""What no caller should ever see."""
TOLD = {
    Standing.PAID: pb.PROVIDER_EVENT_TYPE_PAID,
    Standing.VOID: pb.PROVIDER_EVENT_TYPE_VOIDED,
    Standing.PAYABLE: pb.PROVIDER_EVENT_TYPE_FINALIZED,
    Standing.UNCOLLECTIBLE: pb.PROVIDER_EVENT_TYPE_MARKED_UNCOLLECTIBLE,
}
OPEN = (pb.INVOICE_STATUS_DRAFT, pb.INVOICE_STATUS_SENT, pb.INVOICE_STATUS_PAYMENT_FAILED)
QUEUE_EMPTY = "SELECT NOT EXISTS (SELECT FROM invoices WHERE status = 'pending' OR change IS NOT NULL)"
STUCK = """SELECT id::text, status, change, tries, attempt, lease_owner::text, lease_expires_at - now() AS lease
FROM invoices WHERE status = 'pending' OR change IS NOT NULL"""
IN_ORDER = """UPDATE invoices SET {change}
FROM (SELECT id FROM invoices WHERE {which} ORDER BY id FOR NO KEY UPDATE) AS locked WHERE invoices.id = locked.id"""
"""Locked as everybody locks."""
LAPSE = IN_ORDER.format(change="lease_expires_at = now() - interval '1 s'", which="lease_owner IS NOT NULL")
CHECK = IN_ORDER.format(change="check_at = '-infinity'", which="true")
AT_ONCE = IN_ORDER.format(change="not_before = '-infinity'", which="not_before > now()")
RUNS = """SELECT count(*) FROM generations
WHERE state = 'running' OR created_count + failed_count + cancelled_count <> total_count"""


class Storm:
    """One show, and whatever may happen to it."""

    def __init__(self, callers: list[Caller], replica: Replica, provider: FakeProvider, chance: random.Random) -> None:
        self._callers, self._replica, self._provider, self._chance = callers, replica, provider, chance
        self._sequences: Counter[int] = Counter()
        self._runs: list[str] = []
        self.show = ""
        self.faults: list[str] = []

    @property
    def caller(self) -> Caller:
        return self._chance.choice(self._callers)

    async def begin(self) -> None:
        self.show = (await self.caller.create_show()).id
        for number in range(ITEMS):
            await self._price(number)
        for _ in range(6):
            await self.claim()

    async def blow(self) -> None:
        """Something happens. What is refused is refused; a fault is kept."""
        steps: list[Callable[[], Awaitable[object]]] = [
            *(self.claim, self.claim, self.claim, self.price, self.price, self.start, self.start, self.start),
            *(self.retry, self.amend, self.amend, self.amend, self.address, self.cancel, self.lapse, self.lapse),
            *(self.mark, self.mark),
            *(self.at_provider, self.at_provider, self.edit_there, self.late_news, self.fail, self.cut, self.revoke),
        ]
        step = self._chance.choice(steps)
        try:
            await step()
        except RemoteError as error:
            if error.kind in FAULTS:
                self.faults.append(f"{step.__name__}: {error.reason} {error.message}")

    async def claim(self) -> None:
        number = self._chance.randrange(12)
        self._sequences[number] += 1
        state = self._chance.choice([pb.CLAIM_STATUS_WINNER] * 3 + [pb.CLAIM_STATUS_RELEASED])
        fields = {"status": state, "sequence": self._sequences[number], "quantity": self._chance.randint(1, 3)}
        item = str(self._chance.randrange(ITEMS))
        told = winner(number % BUYERS, claim_id=f"c{number}", item_number=item, **fields)
        await self.caller.ingest(self.show, [told])

    async def price(self) -> None:
        await self._price(self._chance.randrange(ITEMS))

    async def _price(self, number: int) -> None:
        item = pb.Item(item_number=str(number), title=f"Item {number}", price=self._chance.choice(PRICES))
        await self.caller.items(self.show, [item])

    async def start(self) -> None:
        changes, emails = self._chance.random() < 0.6, self._chance.random() < 0.3
        run = await self.caller.start(self.show, apply_changes=changes, reissue_for_email=emails)
        self._runs.append(run.id)

    async def retry(self) -> None:
        await self.caller.retry(self.show)

    async def amend(self) -> None:
        if rows := await self.caller.listed(self.show):
            verb = self._chance.choice(["void", "mark_paid", "finalize", "update_draft"])
            await getattr(self.caller, verb)(self._chance.choice(rows))

    async def mark(self) -> None:
        """A file of open invoices, most of which were paid elsewhere."""
        marks = [
            pb.PaidMark(invoice_id=row.id, paid=self._chance.random() < 0.7, amount=row.total)
            for row in await self.caller.listed(self.show, *OPEN)
        ]
        answer = await self.caller.mark_many(self.show, marks, all_or_none=self._chance.random() < 0.3)
        self._runs += answer.generation_ids

    async def address(self) -> None:
        if buyers := await self.caller.buyers(self.show):
            one, email = self._chance.choice(buyers), f"a{self._chance.randrange(3)}@example.com"
            await self.caller.update_buyer(pb.Buyer(id=one.id, email=email), "email")

    async def cancel(self) -> None:
        if self._runs:
            await self.caller.cancel(self._chance.choice(self._runs))

    async def lapse(self) -> None:
        """Whoever works just now seems dead to the others."""
        await self._replica.pool.execute(LAPSE)

    async def at_provider(self) -> None:
        """Somebody pays, voids, writes off, finalizes or deletes there; half of it is told."""
        live = [one for one, seen in self._provider.made.items() if seen.standing <= Standing.PAYABLE]
        if not live:
            return
        one = self._chance.choice(live)
        if self._provider.made[one].standing is Standing.PAYABLE:
            ends = (Standing.PAID, Standing.PAID, Standing.VOID, Standing.UNCOLLECTIBLE)
            self._provider.now(one, standing=self._chance.choice(ends))
        elif self._chance.random() < 0.5:
            self._provider.now(one, standing=Standing.VOID, deleted=True)
        else:
            self._provider.now(one, standing=Standing.PAYABLE, total=self._provider.draft_totals[one])
        if self._chance.random() < 0.5:
            await self._tell(one, TOLD[self._provider.made[one].standing])

    async def edit_there(self) -> None:
        """Somebody edits a payable one there: it is void, and another is in its place; half of it is told."""
        made = self._provider.made
        if live := [one for one, seen in made.items() if seen.standing is Standing.PAYABLE]:
            one = self._chance.choice(live)
            old, name = made[one], f"in_edit{len(made)}"
            made[f"before {name}"] = replace(old, standing=Standing.VOID, replaced_by=name)
            total = (old.total or 0) + 100
            made[one] = replace(old, external_id=name, total=total, replaces=old.external_id, replaced_by="")
            if self._chance.random() < 0.5:
                await self._tell(one, pb.PROVIDER_EVENT_TYPE_FINALIZED)

    async def revoke(self) -> None:
        if rows := await self.caller.listed(self.show):
            await self.caller.revoke(self._chance.choice(rows))

    async def late_news(self) -> None:
        rows = {row.id for row in await self.caller.listed(self.show)}
        finalized = [one for one, seen in self._provider.made.items() if seen.total is not None and one in rows]
        if finalized:
            await self._tell(self._chance.choice(finalized), pb.PROVIDER_EVENT_TYPE_FINALIZED)

    async def _tell(self, invoice_id: str, kind: pb.ProviderEventType.ValueType) -> None:
        seen = self._provider.made[invoice_id]
        known = [row for row in await self.caller.listed(self.show) if row.id == invoice_id]
        told = event(self.caller, pb.PROVIDER_EVENT_TYPE_DELETED if seen.deleted else kind, known[0])
        told.invoice.total = seen.total or 0
        told.invoice.external_id, told.invoice.replaces = seen.external_id, seen.replaces
        await self.caller.apply(told)

    async def fail(self) -> None:
        at = [f"u{number}" for number in range(BUYERS)] + [seen.external_id for seen in self._provider.made.values()]
        failure = self._chance.choice([Away(), Away(), Refused(), TooFast()])
        self._provider.failures.setdefault(self._chance.choice(at), []).append(failure)

    async def cut(self) -> None:
        self._provider.cut.add(self._chance.choice(["create", "void", "mark_paid", "update_draft", "finalize"]))

    async def calm(self) -> None:
        """All works again, and everything is done that a plan proposes."""
        self._provider.failures.clear()
        self._provider.cut.clear()
        service, pool = self._replica.service, self._replica.pool
        before = None
        while before != (before := await self._stand()):
            await self._quiet()
            await pool.execute(CHECK)
            while await service.rereading.read_due():
                pass
            await pool.execute("UPDATE leftovers SET look_at = '-infinity'")
            while await service.clearing.clear_due():
                pass
            await self.caller.retry(self.show)
            await self._quiet()
            await self.caller.start(self.show, apply_changes=True)
            await self._quiet()

    async def _stand(self) -> list[tuple[str, int]]:
        return sorted((row.id, row.version) for row in await self.caller.listed(self.show))

    async def _quiet(self) -> None:
        await self._replica.pool.execute(AT_ONCE)
        stuck = await self._replica.pool.fetch(STUCK)
        rows = [dict(row) for row in stuck]
        await eventually(lambda: self._replica.pool.fetchval(QUEUE_EMPTY), timeout=60, why=f"left undone: {rows}")

    async def _looked_at(self) -> bool:
        """One that the service looks at just then is passed over."""
        return await self._replica.service.balance.check_changed(rest=0.0) == 0

    async def wrongs(self) -> AsyncIterator[str]:
        """What is not right about the money."""
        for fault in self.faults:
            yield fault
        rows = await self.caller.listed(self.show)
        for row in rows:
            seen = self._provider.made.get(row.id, Sighting(Standing.VOID))
            if (row.status in OPEN) != (seen.standing < Standing.UNCOLLECTIBLE):
                yield f"{row.id} is open at one side only: status {row.status}, {seen.standing.name}"
            if (row.status == pb.INVOICE_STATUS_PAID) != (seen.standing is Standing.PAID):
                yield f"{row.id} is paid at one side only"
        for entry in (await self.caller.plan(self.show)).entries:
            mine = [one for one in rows if one.buyer_id == entry.buyer.id and one.status != pb.INVOICE_STATUS_VOID]
            proposed = entry.change.kind not in (0, pb.CHANGE_KIND_NONE) and not entry.change.optional
            settled = entry.action == pb.PLAN_ACTION_UNCHANGED and not any(one.adjusted_at_provider for one in mine)
            if entry.action == pb.PLAN_ACTION_CREATE or proposed:
                yield f"{entry.buyer.handle} has still something to be done: {entry.change.sentence}"
            elif settled and sum(one.total for one in mine) != entry.total:
                yield f"{entry.buyer.handle} is invoiced another sum than is owed"
        await eventually(self._looked_at, why="shows that changed were not looked at")
        if await self._replica.service.balance.unbalanced():
            yield "the show does not balance"
        if await self._replica.pool.fetchval(RUNS):
            yield "a run has another sum than its parts"


@asynccontextmanager
async def slowed(provider: FakeProvider) -> AsyncIterator[None]:
    """Each call takes a while of its own, before and after it is done: so that calls overtake each other."""
    names = ("create", "void", "mark_paid", "finalize", "update_draft", "find", "read")

    def slow(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            await asyncio.sleep(random.random() ** 3 * 0.3)
            seen = await real(*arguments, **named)
            await asyncio.sleep(random.random() ** 3 * 0.3)
            return seen

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in names:
            patched.setattr(provider, name, slow(getattr(provider, name)))
        yield


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_at_once_the_money_is_right_in_the_end(
    replica: Replica, caller: Caller, database_url: str, nats: Nats, provider: FakeProvider, seed: int
) -> None:
    chance = random.Random(seed)
    async with running_replica(database_url, nats.url, provider) as other:
        second = Caller(other.address, KEYS["gateway"])
        second.who = caller.who
        storm = Storm([caller, second], replica, provider, chance)
        await storm.begin()
        async with slowed(provider):
            for _ in range(ROUNDS):
                await asyncio.gather(*(storm.blow() for _ in range(chance.randint(1, 4))))
        await storm.calm()
        wrongs = [wrong async for wrong in storm.wrongs()]
        await second.close()
    assert wrongs == []
