"""Webhooks on their way: signed, tried again with growing pauses, counted, and spoiled where a fault says so."""

import asyncio
import time
import traceback

import aiohttp
import msgspec

from services.sandbox import log
from services.sandbox.objects.event import wire_body
from services.sandbox.records import Delivery, Endpoint, Event
from services.sandbox.signature import signature_header
from services.sandbox.store import Dataset, Store
from services.sandbox.webhook_faults import WebhookFault, WebhookFaults

_AT_ONCE = 32


class DeliverySettings(msgspec.Struct, forbid_unknown_fields=True):
    retry_seconds: tuple[float, ...] = (0.5, 2, 10, 60, 600, 3600)
    """The pause before each further attempt; after the last the delivery is given up."""
    timeout_seconds: float = 10


class Courier:
    """One task per delivery under way; the state of each is in the store, so that a restart goes on."""

    def __init__(self, store: Store) -> None:
        self.settings = DeliverySettings()
        self.faults = WebhookFaults()
        self._store = store
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None
        self._nudged = asyncio.Event()
        self._overtaken: dict[str, list[asyncio.Event]] = {}
        self._idle = asyncio.Condition()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        for dataset in self._store.datasets.values():
            for delivery in list(dataset.deliveries.values()):
                if delivery.state in ("pending", "held"):
                    self.submit(dataset, delivery)

    async def stop(self) -> None:
        self.abandon(None)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def submit(self, dataset: Dataset, delivery: Delivery) -> None:
        task = asyncio.create_task(self._carry(dataset, delivery))
        self._tasks[task] = dataset.account.id
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and task.exception() is not None:
            log.line("mistake", operation="delivery", trace=traceback.format_exception(task.exception()))

    def abandon(self, account: str | None) -> None:
        """Lets go of what is under way for an account, or for all: its data is being reset."""
        for task, of_account in self._tasks.items():
            if account in (None, of_account):
                task.cancel()

    def retry_now(self) -> None:
        """Those that wait for their next attempt make it now."""
        self._nudged.set()
        self._nudged = asyncio.Event()

    async def wait_until_idle(self, timeout: float, account: str | None = None) -> bool:
        """True when nothing was left to deliver before the time was over; held deliveries do not count."""
        try:
            async with asyncio.timeout(timeout), self._idle:
                await self._idle.wait_for(lambda: not self._pending(account))
        except TimeoutError:
            return False
        return True

    def _pending(self, account: str | None) -> bool:
        return any(
            delivery.state == "pending"
            for dataset in self._store.datasets.values()
            if account in (None, dataset.account.id)
            for delivery in dataset.deliveries.values()
        )

    # One delivery ------------------------------------------------------------------------------------------------

    async def _carry(self, dataset: Dataset, delivery: Delivery) -> None:
        event = dataset.events.get(delivery.event)
        if event is None:
            return
        fault = self.faults.take(dataset, event) if delivery.attempts == 0 else None
        copies = 0
        if fault is not None:
            if fault.rule.effect == "drop":
                await self._become(dataset, delivery, "lost")
                return
            copies = await self._spoil(dataset, delivery, fault)
        await self._wait_until(delivery.due)
        while not await self._attempt(dataset, delivery, event):
            if not await self._wait_for_next(dataset, delivery):
                return
        for _ in range(copies):
            await self._attempt(dataset, delivery, event)
        await self._become(dataset, delivery, "delivered")
        self._let_overtaken_go(delivery.endpoint)

    async def _spoil(self, dataset: Dataset, delivery: Delivery, fault: WebhookFault) -> int:
        """Acts as the fault says; answers how many copies more to send."""
        effect = fault.rule.effect
        if effect == "duplicate":
            return fault.rule.copies
        if effect == "delay":
            delivery.due = time.time() + fault.rule.seconds
            return 0
        await self._become(dataset, delivery, "held")
        if effect == "hold":
            await fault.released.wait()
        else:
            await self._wait_to_be_overtaken(delivery.endpoint, fault.rule.seconds)
        await self._become(dataset, delivery, "pending")
        return 0

    async def _wait_to_be_overtaken(self, endpoint: str, seconds: float) -> None:
        gone = asyncio.Event()
        self._overtaken.setdefault(endpoint, []).append(gone)
        try:
            async with asyncio.timeout(seconds):
                await gone.wait()
        except TimeoutError:
            return

    def _let_overtaken_go(self, endpoint: str) -> None:
        for gone in self._overtaken.pop(endpoint, []):
            gone.set()

    async def _wait_for_next(self, dataset: Dataset, delivery: Delivery) -> bool:
        """False when there is no further attempt."""
        pauses = self.settings.retry_seconds
        gone = delivery.endpoint not in dataset.endpoints
        if gone or delivery.attempts > len(pauses):
            await self._become(dataset, delivery, "failed")
            return False
        delivery.due = time.time() + pauses[delivery.attempts - 1]
        self._save(dataset, delivery)
        await self._wait_until(delivery.due)
        return True

    async def _wait_until(self, due: float) -> None:
        pause = due - time.time()
        if pause <= 0:
            return
        try:
            async with asyncio.timeout(pause):
                await self._nudged.wait()
        except TimeoutError:
            return

    async def _attempt(self, dataset: Dataset, delivery: Delivery, event: Event) -> bool:
        endpoint = dataset.endpoints.get(delivery.endpoint)
        delivery.attempts += 1
        if endpoint is None or endpoint.body["status"] != "enabled":
            delivery.last_status, delivery.last_error = None, "the endpoint is deleted or disabled"
            return False
        async with self._slots:
            delivery.last_status, delivery.last_error = await self._post(dataset, endpoint, event)
        log.request(
            webhook=event.type,
            delivery=delivery.id,
            status=delivery.last_status,
            error=delivery.last_error,
            attempt=delivery.attempts,
        )
        return delivery.last_status is not None and 200 <= delivery.last_status < 300

    async def _post(self, dataset: Dataset, endpoint: Endpoint, event: Event) -> tuple[int | None, str | None]:
        assert self._session is not None
        body = wire_body(dataset, event, endpoint.body["api_version"])
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
            "Cache-Control": "no-cache",
            "Stripe-Signature": signature_header(body, endpoint.secret, livemode=dataset.livemode),
        }
        timeout = aiohttp.ClientTimeout(total=self.settings.timeout_seconds)
        try:
            async with self._session.post(
                endpoint.body["url"], data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                await response.read()
                return response.status, None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return None, type(error).__name__

    async def _become(self, dataset: Dataset, delivery: Delivery, state: str) -> None:
        delivery.state = state
        if state == "delivered":
            self._note_created_delivered(dataset, delivery)
        self._save(dataset, delivery)
        async with self._idle:
            self._idle.notify_all()

    def _note_created_delivered(self, dataset: Dataset, delivery: Delivery) -> None:
        """`webhooks_delivered_at` of an invoice: when its invoice.created had been acknowledged everywhere."""
        event = dataset.events.get(delivery.event)
        invoice = dataset.invoices.get(event.object_id) if event and event.type == "invoice.created" else None
        if event is None or invoice is None or invoice.body["webhooks_delivered_at"] is not None:
            return
        others = (dataset.deliveries[one].state for one in dataset.deliveries_of.get(event.id, ()))
        if all(state == "delivered" for state in others):
            invoice.body["webhooks_delivered_at"] = self._store.clock.now()
            self._store.save(dataset, invoice)

    def _save(self, dataset: Dataset, delivery: Delivery) -> None:
        if self._store.datasets.get(dataset.scope) is dataset:
            self._store.save(dataset, delivery)
            for waiting in self._store.commit():
                self.submit(*waiting)
