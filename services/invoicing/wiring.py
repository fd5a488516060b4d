"""The parts of the service put together, for a process and for tests alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.common.bus import Bus
from services.common.db import Pool
from services.common.outbox import Outbox
from services.common.server import GrpcServer
from services.invoicing.amend import Amending
from services.invoicing.amend_servicer import Changes
from services.invoicing.balance import Balance
from services.invoicing.browsing import Browsing
from services.invoicing.cancel import Cancelling
from services.invoicing.catchup import Catchup
from services.invoicing.claims import Buyers
from services.invoicing.clearing import Clearing
from services.invoicing.courier import Courier
from services.invoicing.deliver import Deliveries
from services.invoicing.desk import Desk
from services.invoicing.drafts import Drafts
from services.invoicing.feed import Feed
from services.invoicing.generate import Generations
from services.invoicing.hearing import Hearing
from services.invoicing.invoices import Invoices
from services.invoicing.invoices_servicer import InvoicesServicer
from services.invoicing.items import Items
from services.invoicing.ledger import Ledger
from services.invoicing.listing import Listing
from services.invoicing.marks import Marking
from services.invoicing.paylinks import PayLinks
from services.invoicing.ports import Provider
from services.invoicing.rereading import Rereading
from services.invoicing.sender import Senders
from services.invoicing.sendings import Sendings
from services.invoicing.settle import Settlement
from services.invoicing.shows import Shows
from services.invoicing.shows_servicer import ShowsServicer
from services.invoicing.strays import StrayPayments
from services.invoicing.upkeep import Upkeep
from services.invoicing.verify import Verification
from services.invoicing.watch import Watching
from services.invoicing.worker import Workers
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import (
    add_InvoicesServiceServicer_to_server,
    add_ShowsServiceServicer_to_server,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the background works."""

    concurrency: int
    """Invoices under way at once for one provider account."""
    lease: float
    """Seconds."""
    catchup: float
    """Seconds between two readings of what happened at an account, and of an open invoice at the least."""


class Service:
    """The use cases, and the work in the background."""

    def __init__(self, pool: Pool, bus: Bus, provider: Provider, pace: Pace) -> None:
        self.outbox = Outbox(pool, bus)
        self.ledger = Ledger(pool, self.outbox)
        self.clearing = Clearing(self.ledger, provider)
        clear = self.clearing.wake
        self.workers = Workers(self.ledger, provider, clear, concurrency=pace.concurrency, lease=pace.lease)
        self.rereading = Rereading(self.ledger, provider, least=pace.catchup)
        self.shows = Shows(self.ledger)
        self.items = Items(self.ledger)
        self.buyers = Buyers(self.ledger)
        self.browsing = Browsing(pool)
        self.feed = Feed(self.ledger)
        self.invoices = Invoices(pool)
        self.listing = Listing(pool)
        self.generations = Generations(self.ledger, provider, self.workers.wake)
        self.changes = Changes(
            Amending(self.ledger, provider),
            Drafts(self.ledger, provider),
            Cancelling(self.ledger),
            Watching(self.generations),
            Marking(self.ledger, self.feed, provider, self.workers.wake),
            StrayPayments(self.ledger),
        )
        courier = Courier(self.ledger, provider)
        self.senders = Senders(self.ledger, courier, concurrency=pace.concurrency, lease=pace.lease)
        self.deliveries = Deliveries(self.ledger, provider, courier, lease=pace.lease)
        self.sendings = Sendings(self.ledger, provider, self.senders.wake)
        self.settlement = Settlement(self.ledger, self.rereading.wake)
        self.catchup = Catchup(self.ledger, provider, self.settlement, every=pace.catchup)
        self.balance = Balance(pool)
        self.upkeep = Upkeep(pool)
        self.verification = Verification(pool, provider)
        self.hearing = Hearing(pool, provider, every=pace.catchup)
        self.desk = Desk(pool, provider)
        self.pay_links = PayLinks(self.ledger, provider)

    def register(self, server: GrpcServer) -> None:
        shows = ShowsServicer(self.shows, self.items, self.buyers, self.browsing, self.feed)
        invoices = InvoicesServicer(
            self.shows,
            self.invoices,
            self.listing,
            self.generations,
            self.deliveries,
            self.settlement,
            self.pay_links,
            self.sendings,
            self.hearing,
            self.verification,
            self.changes,
            self.desk,
        )
        add_ShowsServiceServicer_to_server(shows, server.server)
        add_InvoicesServiceServicer_to_server(invoices, server.server)

    @asynccontextmanager
    async def background(self) -> AsyncIterator[asyncio.Task[None]]:
        """All of it, for the length of a block. The task ends only when one part broke."""
        task = asyncio.create_task(self._work())
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for work in (
                self.outbox.run(),
                self.workers.run(),
                self.senders.run(),
                self.catchup.run(),
                self.rereading.run(),
                self.clearing.run(),
                self.balance.run(),
                self.upkeep.run(),
            ):
                group.create_task(work)
