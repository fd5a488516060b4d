"""Rows of the database as the domain's values."""

from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from services.common.db import load_queries
from services.invoicing.domain import progress
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import DraftReason, Invoice, Status
from services.invoicing.domain.marks import AskedMark
from services.invoicing.domain.progress import STANDING, Counts, Pace
from services.invoicing.domain.rollup import NOTHING, Billed, Buyer, Made, Owed, Position, digest_of
from services.invoicing.ports import Order

FOLDER: Final = Path(__file__).parent / "sql"
MIGRATIONS: Final = FOLDER / "migrations"
SQL: Final = load_queries(FOLDER)


def invoice(row: asyncpg.Record) -> Invoice:
    """Of a row of invoice_records or lock_invoices."""
    draft_reason = row["draft_reason"]
    return Invoice(
        id=str(row["id"]),
        workspace_id=str(row["workspace_id"]),
        show_id=str(row["show_id"]),
        buyer_id=str(row["buyer_id"]),
        generation_id=str(row["generation_id"]),
        platform=row["platform"],
        platform_user_id=row["platform_user_id"],
        handle=row["handle"],
        display_name=row["display_name"],
        email=row["email"],
        pay_token=row["pay_token"] or "",
        status=Status(row["status"]),
        draft_reason=DraftReason(draft_reason) if draft_reason else None,
        status_reason=row["status_reason"],
        total=row["total"],
        currency=row["currency"],
        line_count=row["line_count"],
        unpriced_count=row["unpriced_count"],
        revision=row["revision"],
        attempt=row["attempt"],
        version=row["version"],
        provider=row["provider"],
        external_account=row["external_account"],
        livemode=row["livemode"],
        external_id=row["external_id"],
        external_url=row["external_url"],
        external_url_at=row["external_url_at"],
        provider_url=row["provider_url"],
        number=row["number"],
        adjusted_at_provider=row["adjusted_at_provider"],
        paid_at=row["paid_at"],
        sent_at=row["sent_at"],
        send_count=row["send_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        told_email=row["told_email"],
        paid_outside=row["paid_outside"],
    )


def asked_mark(row: asyncpg.Record) -> AskedMark:
    told = (row["note"], row["actor"], row["total"], row["external_id"])
    return AskedMark(*told, row["asked_at"], row["tried_at"], row["tries"])


def account(row: asyncpg.Record) -> Account:
    return Account(str(row["workspace_id"]), row["provider"], row["external_account"], row["livemode"])


def account_of(known: Invoice) -> Account:
    return Account(known.workspace_id, known.provider, known.external_account, known.livemode)


def buyer(row: asyncpg.Record) -> Buyer:
    return Buyer(
        id=str(row["id"]),
        platform=row["platform"],
        platform_user_id=row["platform_user_id"],
        handle=row["handle"],
        display_name=row["display_name"],
        email=row["email"],
        pay_token=row["pay_token"] or "",
    )


def owed(row: asyncpg.Record) -> Owed:
    return Owed(row["total"], row["claim_count"], row["line_count"], row["unpriced_count"], row["digest"])


def position(row: asyncpg.Record) -> Position:
    return Position(
        buyer=buyer(row),
        owed=owed(row) if row["line_count"] is not None else NOTHING,
        billed=_billed(row) if row["invoice_id"] is not None else None,
        revision=row["revision"],
        other_currency=bool(row["other_currency"]),
    )


def _billed(row: asyncpg.Record) -> Billed:
    draft_reason = row["draft_reason"]
    return Billed(
        invoice_id=str(row["invoice_id"]),
        status=Status(row["status"]),
        total=row["billed_total"],
        digest=planned_digest(row),
        draft_reason=DraftReason(draft_reason) if draft_reason else None,
        settled=row["settled_total"],
        settled_count=row["settled_count"],
        paid=row["paid_total"],
        settled_adjusted=row["settled_adjusted"],
        own=row["own_total"],
        beside=row["beside_total"],
        adjusted=row["adjusted_at_provider"],
        told_email=row["told_email"] or "",
        made=Made(row["provider"], row["external_account"], row["livemode"]) if row["stands"] else None,
        changing=digest_of(row["changing_digest"], taken=True) if row["changing"] else None,
    )


def planned_digest(row: asyncpg.Record) -> str:
    """Of what an invoice bills, as far as its provider has it: what is final with our total does."""
    final = row["draft_reason"] is None and not row["adjusted_at_provider"]
    return digest_of(row["planned_digest"], taken=final)


def counts(row: asyncpg.Record) -> Counts:
    """Of a row of generations."""
    return Counts(
        row["total_count"], row["created_count"], row["failed_count"], row["cancelled_count"], row["marks_paid"]
    )


def pace(row: asyncpg.Record, now: datetime) -> Pace:
    """Of a row of generations."""
    if row["finished_at"] is not None:
        return STANDING
    return progress.pace(counts(row), row["rate"], row["rated_at"], row["created_at"], now)


def order(row: asyncpg.Record) -> Order:
    return Order(
        id=str(row["id"]),
        account=account(row),
        show_id=str(row["show_id"]),
        revision=row["revision"],
        attempt=row["attempt"],
        first_attempt_at=row["first_attempt_at"],
        tries=row["tries"],
        buyer=row["buyer"],
        currency=row["currency"],
        lines=row["line_items"],
        total=row["total"],
        keep_draft=row["keep_draft"],
        show_name=row["show_name"],
        show_date=row["show_date"],
    )
