"""The parts of a running sandbox, put together in one place."""

import asyncio
from typing import Final

import msgspec

from services.sandbox import demo, events, lifecycle
from services.sandbox.call import Call, Cause
from services.sandbox.clock import Clock
from services.sandbox.config import API_VERSION, Config
from services.sandbox.counters import CallCounters
from services.sandbox.delivery import Courier, DeliverySettings
from services.sandbox.faults import Faults
from services.sandbox.idempotency import Idempotency
from services.sandbox.limits import RateLimiter, RateLimits
from services.sandbox.store import Dataset, Store

_TICK_SECONDS = 5.0


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What the control address can change while the sandbox runs."""

    latency_ms: float = 0
    rate_limits: RateLimits = msgspec.field(default_factory=RateLimits)
    webhooks: DeliverySettings = msgspec.field(default_factory=DeliverySettings)


class Sandbox:
    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self.clock: Final = Clock()
        self.store: Final = Store(config.data, self.clock)
        self.limiter: Final = RateLimiter()
        self.idempotency: Final = Idempotency(self.store)
        self.faults: Final = Faults()
        self.counters: Final = CallCounters()
        self.courier: Final = Courier(self.store)
        self._ticking: asyncio.Task[None] | None = None
        self.settings = Settings()
        self.apply(self.store.kept("settings", Settings) or self.settings)
        demo.prepare(self.store, config)
        self.store.commit()

    def apply(self, settings: Settings) -> None:
        self.settings = settings
        self.limiter.limits = settings.rate_limits
        self.limiter.forget()
        self.courier.settings = settings.webhooks

    def call(self, dataset: Dataset, cause: Cause | None = None) -> Call:
        """A call that no request of the API made: a page, the control address, the clock."""
        return Call(self.store, dataset, self.config, cause or Cause(), API_VERSION)

    def flush(self) -> None:
        """Commits what changed and sends the webhooks it caused on their way."""
        for dataset, delivery in self.store.commit():
            self.courier.submit(dataset, delivery)

    async def start(self) -> None:
        await self.courier.start()
        self._ticking = asyncio.create_task(self._tick_always())

    async def stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        await self.courier.stop()
        self.flush()
        self.store.close()

    def tick(self) -> None:
        """What time brings about: drafts that finalize by themselves, events that are forgotten."""
        for dataset in self.store.datasets.values():
            call = self.call(dataset)
            for invoice in list(dataset.invoices.values()):
                at = invoice.body["automatically_finalizes_at"]
                if invoice.body["status"] == "draft" and at is not None and at <= call.now:
                    lifecycle.finalize(call, invoice)
            oldest = call.now - events.KEPT_SECONDS
            for event in list(dataset.events.values()):
                if event.created >= oldest:
                    break
                self.store.forget_event(dataset, event)
        self.flush()

    async def _tick_always(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self.tick()

    def reset(self, account: str | None = None) -> None:
        self.courier.abandon(account)
        self.store.reset(account)
        self.flush()
