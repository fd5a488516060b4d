"""What the sandbox keeps. `body` is an object as the API shows it, less what is worked out anew on each reading."""

from typing import Any

import msgspec

Json = dict[str, Any]


class ApiKey(msgspec.Struct):
    value: str
    account: str
    kind: str
    """secret, publishable or restricted"""
    livemode: bool
    permissions: list[str] = []
    revoked: bool = False

    @property
    def last4(self) -> str:
        return self.value[-4:]


class Account(msgspec.Struct):
    id: str
    name: str
    country: str
    default_currency: str
    created: int
    email: str
    api_version: str
    charges_enabled: bool = True


class Customer(msgspec.Struct):
    id: str
    seq: int
    body: Json


class Invoice(msgspec.Struct):
    id: str
    seq: int
    body: Json
    lines: list[Json] = []
    hosted_token: str | None = None
    hosted_expires_at: int = 0
    spent_tokens: list[str] = []
    settled_by: str | None = None
    """payment, out_of_band, balance (nothing was due) or None"""
    number_reserved: str | None = None


class Event(msgspec.Struct):
    id: str
    seq: int
    type: str
    created: int
    object_id: str
    api_version: str
    data: msgspec.Raw
    request_id: str | None = None
    idempotency_key: str | None = None
    livemode: bool = False


class Endpoint(msgspec.Struct):
    id: str
    seq: int
    body: Json
    secret: str


class SavedAnswer(msgspec.Struct):
    key: str
    method: str
    path: str
    fingerprint: str
    request_id: str
    created: int
    status: int = 0
    body: bytes = b""


class Delivery(msgspec.Struct):
    """One event on its way to one endpoint."""

    id: str
    seq: int
    event: str
    endpoint: str
    state: str = "pending"
    """pending, held, delivered, failed (given up) or lost (by a fault)"""
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    due: float = 0.0
    """Unix time of the next attempt"""


class Mail(msgspec.Struct):
    id: str
    seq: int
    invoice: str
    account: str
    livemode: bool
    to: str
    subject: str
    url: str
    total: str
    created: int
