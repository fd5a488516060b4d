"""What every request is checked by: faults name the path of their field, and all are told at once."""

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from services.common import paging
from services.common.errors import Fault, InvalidRequest, require
from services.common.money import is_currency
from services.common.timestamps import from_proto

_EMAIL: Final = re.compile(r"[^@\s\0]+@[^@\s\0]+\.[^@\s\0]+")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_BASE: Final = 500
"""Characters of the public address that pay paths are joined to."""
PROVIDERS: Final = frozenset({"stripe", "shopify", "square", "medusajs", "paypal", "quickbooks", "manual"})


def text_fault(field: str, value: str, most: int, least: int = 0) -> list[Fault]:
    """A list of one fault, or of none."""
    if len(value) < least:
        return [Fault(field, f"The {_words(field)} is missing.")]
    if len(value) > most:
        return [Fault(field, f"The {_words(field)} is longer than {most} characters.")]
    if "\0" in value:
        return [Fault(field, f"The {_words(field)} holds a zero character, which no text may hold.")]
    return []


def currency_fault(field: str, code: str) -> list[Fault]:
    if is_currency(code):
        return []
    return [Fault(field, "The currency is not an upper-case ISO 4217 code, for example USD.")]


def email_fault(field: str, email: str) -> list[Fault]:
    if not email or (_EMAIL.fullmatch(email) and len(email) <= 320):
        return []
    return [Fault(field, "The e-mail address is not one. Correct it, or leave it empty.")]


def count_fault(field: str, things: Sequence[object], most: int) -> list[Fault]:
    return (
        [Fault(field, f"There are more than {most} in one call. Send them in several.")] if len(things) > most else []
    )


def id_faults(field: str, ids: Iterable[str], what: str) -> list[Fault]:
    return [
        Fault(f"{field}[{place}]", f"This is not the id of {what}.")
        for place, text in enumerate(ids)
        if not uuid_of(text)
    ]


def request_id(text: str) -> str | None:
    """None when the caller wants none. Raises InvalidRequest for what is not a UUID."""
    if not text:
        return None
    found = uuid_of(text)
    require([] if found else [Fault("request_id", "The request id is not a UUID.")])
    return found


def uuid_of(text: str) -> str | None:
    """The canonical form, or None for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def moment(field: str, stamp: Timestamp) -> tuple[datetime | None, list[Fault]]:
    """A time that the database can hold; None when unset."""
    try:
        found = from_proto(stamp)
    except (ValueError, OverflowError):
        return None, [Fault(field, f"The {_words(field)} is out of range.")]
    if found is not None and found < _EARLIEST:
        return None, [Fault(field, f"The {_words(field)} is before 1970.")]
    return found, []


def id_key(token: str) -> str | None:
    """The id in a page token; None for the first page. Raises InvalidRequest."""
    key = paging.decode_token(token, (str,))
    return _token_id(str(key[0])) if key else None


def text_and_id_key(token: str) -> tuple[str, str] | None:
    key = paging.decode_token(token, (str, str))
    return (str(key[0]), _token_id(str(key[1]))) if key else None


def time_and_id_key(token: str) -> tuple[datetime, str] | None:
    key = text_and_id_key(token)
    if key is None:
        return None
    try:
        return datetime.fromisoformat(key[0]), key[1]
    except ValueError as error:
        raise _foreign_token() from error


def _token_id(text: str) -> str:
    found = uuid_of(text)
    if found is None:
        raise _foreign_token()
    return found


def _foreign_token() -> InvalidRequest:
    fault = Fault("page_token", "The page token is not one of ours. Start again without it.")
    return InvalidRequest(fault.problem, faults=[fault])


def provider(slug: str) -> str:
    """The provider's slug, the usual one for an empty text. Raises InvalidRequest."""
    chosen = slug or "stripe"
    require([] if chosen in PROVIDERS else [Fault("provider", "There is no provider of this name.")])
    return chosen


def _words(field: str) -> str:
    return field.rpartition(".")[2].replace("_", " ")
