"""The senders of a process: they carry out queued deliveries. The provider goes by the delivery's id: twice is once."""

from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from services.common.errors import Kind, ShowbillError
from services.invoicing import repository
from services.invoicing.courier import Courier
from services.invoicing.domain.fairness import Account
from services.invoicing.leasing import LeasedQueue, Queue
from services.invoicing.ledger import Ledger
from services.invoicing.pausing import delay_after, is_hopeless
from services.invoicing.repository import SQL

log = structlog.get_logger()

_QUEUE: Final = Queue(
    "deliveries", "waiting_deliveries", "take_deliveries", "keep_delivery_leases", "first_try_at", most=64
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that was taken off the queue."""

    id: str
    account: Account
    show_id: str


class Senders(LeasedQueue[Delivery]):
    """Delivers what is queued until it is stopped."""

    def __init__(self, ledger: Ledger, courier: Courier, *, concurrency: int, lease: float) -> None:
        super().__init__(ledger.pool, _QUEUE, concurrency=concurrency, lease=lease)
        self._courier = courier

    def _read(self, row: asyncpg.Record) -> Delivery:
        return Delivery(str(row["id"]), repository.account(row), str(row["show_id"]))

    async def _carry_out(self, entry: Delivery, row: asyncpg.Record) -> None:
        try:
            await self._courier.carry(row)
            self._pauses.went_well(entry.account)
        except ShowbillError as error:
            await self._again_or_never(entry, row, error)
        except Exception:  # outermost of this delivery: it is taken up again, and given up in the end
            log.exception("a link could not be delivered", delivery_id=entry.id)
            await self._again_or_never(entry, row, ShowbillError())

    async def _again_or_never(self, entry: Delivery, row: asyncpg.Record, error: ShowbillError) -> None:
        try:
            if is_hopeless(row["tries"], row["first_try_at"], error):
                await self._courier.give_up(row, error)
                return
            self._pauses.failed(entry.account, error)
            limited = error.kind is Kind.RATE_LIMITED
            await self._put_back(entry, delay_after(row["tries"], error), error.message, count=not limited)
        except Exception:  # outermost of this delivery: its lease lapses, and it is taken up again
            log.exception("a failed try to deliver could not be recorded", delivery_id=entry.id)

    async def _park(self, row: asyncpg.Record, error: ShowbillError) -> None:
        await self._courier.give_up(row, error)

    async def _write_back(self, entry_id: str, delay: float, why: str, *, count: bool) -> None:
        await self._pool.execute(SQL["put_back_delivery"], entry_id, self.owner, delay, int(count), why)
