"""A workspace's connection to a provider, as a row says it."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

import asyncpg
import msgspec

from services.integrations.keyring import WrappedKey
from services.integrations.vault import Sealed

ACTIVE: Final = "active"
INACTIVE: Final = "inactive"
NEEDS_RECONNECT: Final = "needs_reconnect"
ERROR: Final = "error"

LIVE: Final = "live"
POLLING: Final = "polling"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator may set. The values here are those of a new connection."""

    default_currency: str = ""
    memo_template: str = "{show_name}, {show_date}"
    message_template: str = ""
    days_until_due: int = 7
    footer: str = ""
    automatic_sending: bool = False
    payment_instructions: str = ""


def etag(settings: Settings) -> str:
    """Names this state of the settings."""
    return blake2b(msgspec.json.encode(settings), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Connection:
    """One row of `integrations`. Holds no secret."""

    id: str
    workspace_id: str
    provider: str
    status: str
    status_reason: str
    hindered_verb: str
    """Of an adapter: the one that lacked a permission, where that is the reason of the status."""
    account_id: str
    livemode: bool
    country: str
    default_currency: str
    key_hint: str
    account_name: str
    public_key_hint: str
    key_kind: str
    webhook_endpoint_id: str
    webhook_url: str
    update_mode: str
    update_mode_reason: str
    settings: Settings
    connect_time: datetime
    connected_by: str
    last_event_time: datetime | None
    status_time: datetime | None
    """Since when it has its status; None where that is not known."""
    version: int
    sealed: Sealed | None = field(default=None, repr=False)
    """Only where the credentials were read along."""

    @property
    def connected(self) -> bool:
        return self.status != INACTIVE


def from_row(row: asyncpg.Record, sealed: Sealed | None = None) -> Connection:
    return Connection(
        id=str(row["id"]),
        workspace_id=str(row["workspace_id"]),
        provider=row["provider"],
        status=row["status"],
        status_reason=row["status_reason"],
        hindered_verb=row["hindered_verb"],
        account_id=row["account_id"],
        livemode=row["livemode"],
        country=row["country"],
        default_currency=row["default_currency"],
        key_hint=row["key_hint"],
        account_name=row["account_name"],
        public_key_hint=row["public_key_hint"],
        key_kind=row["key_kind"],
        webhook_endpoint_id=row["webhook_endpoint_id"],
        webhook_url=row["webhook_url"],
        update_mode=row["update_mode"],
        update_mode_reason=row["update_mode_reason"],
        settings=msgspec.convert(row["settings"], Settings),
        connect_time=row["connect_time"],
        connected_by=row["connected_by"],
        last_event_time=row["last_event_time"],
        status_time=row["status_time"],
        version=row["version"],
        sealed=sealed,
    )


def wrapped_key(row: asyncpg.Record) -> WrappedKey | None:
    return WrappedKey(row["key_id"], row["wrapped_key"]) if row["wrapped_key"] is not None else None
