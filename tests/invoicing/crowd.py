"""A year of shows, written by SQL: 200 shows of 5,000 claims, and one of 100,000 claims by 20,000 buyers.

For tests of plans and for benchmarks. About 80 of 100 claims win. Every id is made of a number, so that it is known.
"""

import uuid
from hashlib import md5
from pathlib import Path
from typing import Final

import asyncpg

WORKSPACE: Final = str(uuid.UUID(int=0xC0FFEE))
GIANT: Final = 0
"""The number of the giant show; the others are 1 to 200."""
_FILL: Final = Path(__file__).with_name("crowd.sql")


def show_id(number: int) -> str:
    return _uuid(f"show{number}")


def buyer_id(number: int) -> str:
    return _uuid(f"buyer{number}")


def _uuid(text: str) -> str:
    return str(uuid.UUID(md5(text.encode(), usedforsecurity=False).hexdigest()))


async def fill(superuser_url: str) -> None:
    """Into an empty, migrated database; some seconds."""
    connection = await asyncpg.connect(superuser_url)
    try:
        for statement in _FILL.read_text().split(";"):
            if statement.strip():
                await connection.execute(statement)
    finally:
        await connection.close()
