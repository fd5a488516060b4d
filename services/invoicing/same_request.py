"""Whether a request that names an earlier one by its id asks for the same."""

from hashlib import blake2b

import asyncpg
import msgspec

from services.invoicing.ledger import RequestIdTaken


def digest_of(*asked: object) -> str:
    """Names what is asked for. Give in order what has no order of its own."""
    return blake2b(msgspec.json.encode(asked), digest_size=16).hexdigest()


def require_same(before: asyncpg.Record, show_id: str, digest: str) -> None:
    """`before` is what the id stands for. Raises RequestIdTaken."""
    same = before["request_digest"] in ("", digest)  # empty: a version that noted nothing
    if str(before["show_id"]) != show_id or not same:
        raise RequestIdTaken
