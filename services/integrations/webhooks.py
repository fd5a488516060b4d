"""Webhook deliveries: whose they are, whether they are genuine, what they say. The events are not stored here."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from services.common.db import Pool, load_queries
from services.common.secret import Secret
from services.integrations.connection import INACTIVE, wrapped_key
from services.integrations.connection_values import EARLIER_WEBHOOK_SECRETS, WEBHOOK_SECRET
from services.integrations.failures import AdapterError
from services.integrations.invoice_values import BadSignature, Binding, MalformedEvent, ProviderEvent
from services.integrations.keyring import UnreadableCredential
from services.integrations.offers import PlainAddress
from services.integrations.opening import Opener
from services.integrations.overlap import holding
from services.integrations.registry import Registry
from services.integrations.vault import Vault

log = structlog.get_logger()

SQL: Final = load_queries(Path(__file__).parent / "sql")
_NOTE_EVERY: Final = 5.0
"""Seconds between two notes of the last event of a connection: a burst of payments is no burst of updates."""
_NOTE_PATIENCE: Final = 2.0
"""Seconds. The provider waits for its answer."""
_MOST_OPENED: Final = 10_000
"""Connections whose secrets are kept."""


class Outcome(Enum):
    """What became of a delivery."""

    VERIFIED = "verified"
    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    UNKNOWN_CONNECTION = "unknown_connection"
    GONE = "gone"
    TRY_AGAIN = "try_again"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came in."""

    provider: str
    integration_id: str
    """Empty for the plain address."""
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one delivery; the event and whose it is when it is VERIFIED, else a sentence."""

    outcome: Outcome
    reason: str = ""
    event: ProviderEvent | None = None
    workspace_id: str = ""
    integration_id: str = ""


_UNKNOWN: Final = Verdict(Outcome.UNKNOWN_CONNECTION, "There is no connection at this address.")
_GONE: Final = Verdict(Outcome.GONE, "This connection was ended. Remove the endpoint at the provider.")
_LATER: Final = Verdict(Outcome.TRY_AGAIN, "The endpoint’s secret cannot be read just now.")
_BAD: Final = Verdict(Outcome.BAD_SIGNATURE, "The signature is missing, wrong or too old.")


class Verifying:
    """The use case: one query for all connections of a group, secrets opened once."""

    def __init__(
        self, pool: Pool, vault: Vault, opener: Opener, registry: Registry, plain: Sequence[PlainAddress]
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._opener = opener
        self._registry = registry
        self._plain = {address.provider: address for address in plain}
        self._opened: dict[str, dict[bytes, Secret]] = {}
        """By connection and ciphertext: a new secret, or one sealed anew, is opened anew."""
        self._noted: dict[str, float] = {}

    async def verify(self, deliveries: Sequence[Delivery]) -> list[Verdict]:
        """One verdict for each delivery, in order. A bad one harms no other."""
        ids = [self._connection_of(delivery) for delivery in deliveries]
        rows = await self._rows({one for one in ids if one})
        verdicts = [
            await self._judge(delivery, rows.get(integration_id))
            for delivery, integration_id in zip(deliveries, ids, strict=True)
        ]
        await self._note({one.integration_id for one in verdicts if one.outcome is Outcome.VERIFIED})
        return verdicts

    def _connection_of(self, delivery: Delivery) -> str:
        if not delivery.integration_id:
            plain = self._plain.get(delivery.provider)
            return plain.integration_id if plain else ""
        try:
            return str(UUID(delivery.integration_id))
        except ValueError:
            return ""

    async def _rows(self, ids: Iterable[str]) -> dict[str, asyncpg.Record]:
        wanted = list(ids)
        rows = (
            await self._pool.fetch(SQL["webhook_bindings"], wanted, WEBHOOK_SECRET, EARLIER_WEBHOOK_SECRETS)
            if wanted
            else []
        )
        return {str(row["id"]): row for row in rows}

    async def _judge(self, delivery: Delivery, row: asyncpg.Record | None) -> Verdict:
        if row is None or row["provider"] != delivery.provider:
            return _UNKNOWN
        if row["status"] == INACTIVE:
            self._opened.pop(str(row["id"]), None)
            return _GONE
        opened_before = self._has_opened(row)
        try:
            binding = Binding(row["account_id"], row["livemode"], await self._secrets(delivery, row))
            event = self._registry.adapter(delivery.provider).read_event(binding, delivery.body, delivery.headers)
        except UnreadableCredential as error:
            log.warning("a webhook secret cannot be read", integration_id=str(row["id"]), error=str(error))
            await self._opener.look(str(row["workspace_id"]), row["provider"])
            return _LATER
        except BadSignature:
            return _BAD
        except MalformedEvent as error:
            return Verdict(Outcome.MALFORMED, str(error))
        except AdapterError:
            return _UNKNOWN
        if opened_before and delivery.integration_id:
            # Opening counts itself. After that only what is genuine does, for anybody can send the rest.
            await self._vault.note_use(str(row["workspace_id"]), str(row["id"]))
        return Verdict(Outcome.VERIFIED, "", event, str(row["workspace_id"]), str(row["id"]))

    async def _secrets(self, delivery: Delivery, row: asyncpg.Record) -> Sequence[Secret]:
        """The sealed secrets of the connection's own address; the configured ones of the plain address."""
        if not delivery.integration_id:
            return self._plain[delivery.provider].secrets
        secrets = []
        if row["ciphertext"] is not None:
            secrets.append(await self._secret(row, WEBHOOK_SECRET, row["ciphertext"]))
        if row["earlier"] is not None:
            earlier = await self._secret(row, EARLIER_WEBHOOK_SECRETS, row["earlier"])
            secrets += holding(earlier, datetime.now(UTC))
        return secrets

    async def _secret(self, row: asyncpg.Record, name: str, ciphertext: bytes) -> Secret:
        known = self._opened.get(str(row["id"]), {}).get(ciphertext)
        return await self._open(row, name, ciphertext) if known is None else known

    def _has_opened(self, row: asyncpg.Record) -> bool:
        """Whether all secrets of the row were opened for an earlier delivery."""
        known = self._opened.get(str(row["id"]), {})
        return all(blob in known for blob in (row["ciphertext"], row["earlier"]) if blob is not None)

    async def _open(self, row: asyncpg.Record, name: str, ciphertext: bytes) -> Secret:
        wrapped = wrapped_key(row)
        if wrapped is None:
            raise UnreadableCredential("The connection has no data key.")
        workspace_id, integration_id = str(row["workspace_id"]), str(row["id"])
        opened = await self._vault.open_field(workspace_id, integration_id, wrapped, name, ciphertext)
        if len(self._opened) >= _MOST_OPENED:
            self._opened.clear()
        before = self._opened.get(integration_id, {})
        stand = {blob: secret for blob, secret in before.items() if blob in (row["ciphertext"], row["earlier"])}
        self._opened[integration_id] = {**stand, ciphertext: opened}
        return opened

    async def _note(self, integration_ids: Iterable[str]) -> None:
        now = time.monotonic()
        due = [one for one in integration_ids if now - self._noted.get(one, -_NOTE_EVERY) >= _NOTE_EVERY]
        if not due:
            return
        self._noted.update(dict.fromkeys(due, now))
        try:
            await self._pool.execute(SQL["note_events"], due, timeout=_NOTE_PATIENCE)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            # The next event notes it anew; the verdicts must not be lost for it.
            log.warning("the time of the last events was not noted", error=str(error), connections=len(due))
