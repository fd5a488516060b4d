"""API tokens: for programs. Shown once, stored as a hash, scoped, revocable, expiring if asked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog

from services.common.db import Connection, Pool, transaction
from services.common.errors import Fault, Forbidden, NotFound, require
from services.common.ids import new_id, parse_id
from services.common.secret import Secret
from services.gateway.identity.credentials import fingerprint, hint, new_api_token
from services.gateway.identity.emails import check_name
from services.gateway.identity.paging import Page, after, page_of
from services.gateway.identity.principal import SCOPES, Principal, Role, Scope, Way
from services.gateway.identity.rights import hold_owners_rights
from services.gateway.queries import SQL

log = structlog.get_logger()
_IN_ORDER: Final = list(Scope)


class ScopeBeyondYours(Forbidden):
    """This API token may not hand on the scope {scope}, for it lacks it itself."""

    reason = "SCOPE_BEYOND_YOURS"


@dataclass(frozen=True, slots=True)
class NewTokenTerms:
    """What a token shall be."""

    name: str
    role: Role = Role.OPERATOR
    scopes: Collection[Scope] | None = None
    """None for all that its role may."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What the list shows of a token."""

    id: str
    name: str
    hint: str
    role: Role
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


async def store_token(
    connection: Connection, workspace_id: str, terms: NewTokenTerms, user_id: str | None, token: Secret
) -> TokenRecord:
    """Lets a token in from now on."""
    scopes = SCOPES[terms.role] if terms.scopes is None else terms.scopes
    row = await connection.fetchrow(
        SQL["create_token"],
        *(new_id(), fingerprint(token.reveal()), hint(token), workspace_id, terms.name, terms.role.value),
        *([scope.value for scope in _IN_ORDER if scope in scopes], user_id, terms.expires_at),
    )
    assert row is not None
    return _record(row)


class ApiTokens:
    """Makes, finds, lists and revokes API tokens."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, maker: Principal, terms: NewTokenTerms) -> tuple[TokenRecord, Secret]:
        """The token's record, and the only copy of the token.

        One that a token makes has no scope that its maker lacks, and does not outlive it. Raises InvalidRequest,
        ScopeBeyondYours, OwnerNoMore.
        """
        _check(terms)
        token = new_api_token()
        if maker.way is Way.TOKEN:
            terms = await self._bounded(maker, terms)
        async with transaction(self._pool) as connection:
            await hold_owners_rights(connection, maker)
            record = await store_token(connection, maker.workspace_id, terms, maker.answerable_id, token)
        log.info("token made", token=record.id, workspace=maker.workspace_id, by=maker.identity.actor)
        return record, token

    async def _bounded(self, maker: Principal, terms: NewTokenTerms) -> NewTokenTerms:
        scopes = SCOPES[terms.role] if terms.scopes is None else terms.scopes
        for scope in _IN_ORDER:
            if scope in scopes and scope not in maker.scopes:
                raise ScopeBeyondYours(scope=scope.value)
        ends = await self._pool.fetchval(SQL["expiry_of_token"], maker.credential_id)
        earliest = min((end for end in (ends, terms.expires_at) if end is not None), default=None)
        return NewTokenTerms(terms.name, terms.role, scopes, earliest)

    async def find(self, token: str) -> Principal | None:
        """Who the token stands for; None when it was revoked, ran out or never was."""
        row = await self._pool.fetchrow(SQL["find_token"], fingerprint(token))
        if row is None:
            return None
        if row["stale"]:
            await self._pool.execute(SQL["touch_token"], row["id"])
        return Principal(
            way=Way.TOKEN,
            credential_id=str(row["id"]),
            role=Role(row["role"]),
            workspace_id=str(row["workspace_id"]),
            workspace_name=row["workspace_name"],
            plan=row["plan"],
            token_name=row["name"],
            scopes=frozenset(map(Scope, row["scopes"])),
            answerable_id=str(row["created_by"]) if row["created_by"] else None,
        )

    async def list(self, workspace_id: str, page_size: int = 0, page_token: str = "") -> Page[TokenRecord]:
        return await page_of(
            page_size,
            lambda limit: self._pool.fetch(SQL["list_tokens"], workspace_id, after(page_token), limit),
            _record,
            lambda record: record.id,
        )

    async def revoke(self, workspace_id: str, token_id: str) -> str:
        """Answers the token's id in its canonical form. Raises NotFound."""
        found = await self._pool.fetchval(SQL["revoke_token"], parse_id(token_id, "API token"), workspace_id)
        if found is None:
            raise NotFound(what="API token")
        return str(found)


def _check(terms: NewTokenTerms) -> None:
    """Raises InvalidRequest with all that is wrong."""
    faults = [
        Fault(f"scopes[{place}]", f"The scope {scope.value} needs the role owner. Leave it out, or ask for that role.")
        for place, scope in enumerate(terms.scopes or ())
        if scope not in SCOPES[terms.role]
    ]
    faults += check_name(terms.name, "The token needs a name, to be told from others.")
    if terms.scopes is not None and not terms.scopes:
        faults.append(Fault("scopes", "A token without a scope can do nothing. Name at least one, or none for all."))
    if terms.expires_at is not None and terms.expires_at <= datetime.now(UTC):
        faults.append(Fault("expiresAt", "This moment is past. Choose a later one, or none."))
    require(faults)


def _record(row: asyncpg.Record) -> TokenRecord:
    return TokenRecord(
        id=str(row["id"]),
        name=row["name"],
        hint=row["hint"],
        role=Role(row["role"]),
        scopes=tuple(map(Scope, row["scopes"])),
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
    )
