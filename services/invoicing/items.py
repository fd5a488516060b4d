"""The items of a show: added, priced, corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypedDict

import asyncpg
import msgspec

from services.common.db import Connection
from services.common.errors import Fault, Kind, NotFound, ShowbillError, require
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.domain.prices import price_fault
from services.invoicing.feed import Batch, Rejection
from services.invoicing.ledger import Entry, Ledger
from services.invoicing.repository import SQL
from services.invoicing.shows import ShowNotFound


class ItemNotFound(NotFound):
    """The show has no item {item_number}."""

    reason = "ITEM_NOT_FOUND"


class ItemChanged(ShowbillError):
    """Somebody changed item {item_number} meanwhile. Look at it as it is now, then make your change again."""

    kind = Kind.OUTDATED
    reason = "ITEM_CHANGED"


class ItemExists(ShowbillError):
    """The show has an item {item_number} already. Choose another number, or change that item."""

    kind = Kind.CONFLICT
    reason = "ITEM_EXISTS"


@dataclass(frozen=True, slots=True)
class Item:
    """A numbered thing for sale."""

    item_number: str
    title: str
    price: int | None
    """Minor units. None is unpriced, 0 is free on purpose."""
    quantity: int | None
    index: int = 0
    """Its place among those that were sent with it."""


class ItemChange(TypedDict, total=False):
    """What is to be changed of an item; what is left out stays."""

    title: str
    price: int | None
    quantity: int | None


def etag(row: asyncpg.Record) -> str:
    """Names this state of an item."""
    state = msgspec.json.encode([row["title"], row["price"], row["quantity"]])
    return blake2b(state, digest_size=8).hexdigest()


class Items:
    """The use cases of one show's items. Each raises ShowNotFound."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create(self, workspace_id: str, show_id: str, item: Item) -> asyncpg.Record:
        """Raises InvalidRequest and ItemExists."""
        async with self._ledger.entry() as entry:
            show = await entry.connection.fetchrow(SQL["lock_show"], show_id, workspace_id)
            if show is None:
                raise ShowNotFound
            _require_price(item.price, show)
            values = (new_id(), show_id, item.item_number, item.title, item.price, item.quantity)
            made = await entry.connection.fetchrow(SQL["create_item"], *values)
            if made is None:
                raise ItemExists(item_number=item.item_number)
            await entry.connection.execute(SQL["add_to_item_count"], show_id, 1)
            await _tell(entry, show)
        return made

    async def update(
        self, workspace_id: str, show_id: str, item_number: str, change: ItemChange, expected: str
    ) -> asyncpg.Record:
        """`expected` is the etag that was read, empty for any. Raises InvalidRequest, ItemNotFound, ItemChanged."""
        async with self._ledger.entry() as entry:
            show = await entry.connection.fetchrow(SQL["lock_show"], show_id, workspace_id)
            if show is None:
                raise ShowNotFound
            _require_price(change.get("price"), show)
            item = await entry.connection.fetchrow(SQL["get_item"], show_id, item_number)
            if item is None:
                raise ItemNotFound(item_number=item_number)
            state = {name: item[name] for name in ("title", "price", "quantity")}
            if state | change == state:
                return item  # also when it was sent again, by then with an old etag
            if expected not in ("", etag(item)):
                raise ItemChanged(item_number=item_number)
            after = state | change
            changed = await entry.connection.fetchrow(
                SQL["update_item"], item["id"], after["title"], after["price"], after["quantity"]
            )
            await _tell(entry, show)
        assert changed is not None
        return changed


class ItemLoad:
    """How items are taken: by their number, a later one correcting an earlier."""

    row = Item
    show_query = "lock_show"

    def lock_key(self, row: Item) -> tuple[str, str]:
        return row.item_number, ""

    async def sift(self, connection: Connection, batch: Batch[Item]) -> tuple[list[Item], list[Rejection]]:
        currency = await connection.fetchval(SQL["currency_of_show"], batch.show_id)
        faults = {item.index: price_fault(item.price, currency) for item in batch.rows}
        priced = [
            Rejection(item.index, item.item_number, faults[item.index]) for item in batch.rows if faults[item.index]
        ]
        rejections = sorted((*batch.unreadable, *priced), key=lambda rejection: rejection.index)
        return [item for item in batch.rows if not faults[item.index]], rejections

    async def write(self, entry: Entry, show: asyncpg.Record, rows: Sequence[Item]) -> tuple[int, int]:
        items = list({item.item_number: item for item in rows}.values())
        ids = {new_id() for _ in items}
        written = await entry.connection.fetch(
            SQL["upsert_items"],
            show["id"],
            sorted(ids),
            [item.item_number for item in items],
            [item.title for item in items],
            [item.price for item in items],
            [item.quantity for item in items],
        )
        created = sum(str(row["id"]) in ids for row in written)
        return created, len(written) - created

    async def announce(self, entry: Entry, show: asyncpg.Record, created: int, updated: int) -> None:
        if created or updated:
            await entry.connection.execute(SQL["add_to_item_count"], show["id"], created)
            await _tell(entry, show)


class WholeItems(ItemLoad):
    """Items that are taken all together, or none."""

    async def sift(self, connection: Connection, batch: Batch[Item]) -> tuple[list[Item], list[Rejection]]:
        """Raises InvalidRequest."""
        rows, rejections = await super().sift(connection, batch)
        require([Fault(f"items[{one.index}].price", one.reason) for one in rejections])
        return rows, rejections


def _require_price(price: int | None, show: asyncpg.Record) -> None:
    fault = price_fault(price, show["currency"])
    require([Fault("item.price", fault)] if fault else [])


async def _tell(entry: Entry, show: asyncpg.Record) -> None:
    """Prices are part of what claims come to."""
    changed = events.claims_changed(created=0, updated=0)
    await entry.tell([(str(show["workspace_id"]), str(show["id"]), changed)])
