"""The database refuses what the table of moves does not have."""

import itertools

import asyncpg

from services.invoicing.domain.invoice import MOVES, Status
from services.invoicing.repository import MIGRATIONS
from tests.invoicing.caller import Caller
from tests.invoicing.conftest import Replica


def guard() -> str:
    """The pairs of the table as the newest migration of the trigger `legal_moves` must have them."""
    lines = (", ".join(f"('{old}', '{new}')" for new in sorted(moves)) for old, moves in MOVES.items() if moves)
    return ",\n".join(f"  {line}" for line in lines)


def test_guard_of_the_database_is_written_from_the_table() -> None:
    texts = [path.read_text() for path in sorted(MIGRATIONS.glob("*.sql"))]
    newest = [text for text in texts if "TRIGGER legal_moves" in text][-1]
    assert guard() in newest, f"Replace the trigger in a new migration, with these pairs:\n{guard()}"


async def test_database_refuses_every_move_that_is_not_in_the_table(caller: Caller, replica: Replica) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    taken = set()
    async with replica.pool.acquire() as connection:
        for old, new in itertools.product(Status, Status):
            move = connection.transaction()
            await move.start()
            await connection.execute("ALTER TABLE invoices DISABLE TRIGGER legal_moves")
            await connection.execute("UPDATE invoices SET status = $2 WHERE id = $1", invoice.id, old)
            await connection.execute("ALTER TABLE invoices ENABLE TRIGGER legal_moves")
            try:
                await connection.execute("UPDATE invoices SET status = $2 WHERE id = $1", invoice.id, new)
                taken.add((old, new))
            except asyncpg.CheckViolationError:
                pass
            await move.rollback()
    assert taken == {(old, new) for old, moves in MOVES.items() for new in moves} | {(one, one) for one in Status}


def test_moves_one_after_the_other_are_a_move() -> None:
    """A group writes only the last status of an invoice, so the table must have every way in one step."""
    for old, middles in MOVES.items():
        assert all(MOVES[middle] <= MOVES[old] | {old} for middle in middles)
