"""What an operator tells of buyers: names and addresses, also of those who have won nothing yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import asyncpg

from services.common.db import Connection
from services.common.ids import new_id
from services.invoicing import events
from services.invoicing.feed import Batch, Rejection
from services.invoicing.ledger import Entry
from services.invoicing.repository import SQL


@dataclass(frozen=True, slots=True)
class Contact:
    """What is told of one buyer. What is empty is not told."""

    index: int
    """Its place among those that were sent with it."""
    platform: str
    platform_user_id: str
    handle: str
    display_name: str
    email: str

    @property
    def person(self) -> tuple[str, str]:
        return self.platform, self.platform_user_id


class ContactLoad:
    """How contacts are taken: by platform and user id, a later one correcting an earlier."""

    row = Contact
    show_query = "lock_show"

    def lock_key(self, row: Contact) -> tuple[str, str]:
        return row.person

    async def sift(self, connection: Connection, batch: Batch[Contact]) -> tuple[list[Contact], list[Rejection]]:
        return list(batch.rows), list(batch.unreadable)

    async def write(self, entry: Entry, show: asyncpg.Record, rows: Sequence[Contact]) -> tuple[int, int]:
        told = _once(rows)
        ids = {new_id() for _ in told}
        written = await entry.connection.fetch(
            SQL["upsert_contacts"],
            show["workspace_id"],
            sorted(ids),
            [one.platform for one in told],
            [one.platform_user_id for one in told],
            [one.handle for one in told],
            [one.display_name for one in told],
            [one.email for one in told],
        )
        created = sum(str(row["id"]) in ids for row in written)
        return created, len(written) - created

    async def announce(self, entry: Entry, show: asyncpg.Record, created: int, updated: int) -> None:
        """Names and addresses are shown beside what is owed."""
        if created or updated:
            changed = events.claims_changed(created=0, updated=0)
            await entry.tell([(str(show["workspace_id"]), str(show["id"]), changed)])


def _once(rows: Iterable[Contact]) -> list[Contact]:
    """Each buyer once, with the last that is told of each thing."""
    known: dict[tuple[str, str], Contact] = {}
    for row in rows:
        before = known.get(row.person, row)
        known[row.person] = replace(
            row,
            handle=row.handle or before.handle,
            display_name=row.display_name or before.display_name,
            email=row.email or before.email,
        )
    return list(known.values())
