"""Invoices read from Stripe's lists, which show what was written at once; the search does not."""

from collections.abc import Iterable
from typing import Any

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.operations import LIST_INVOICES, READ_INVOICE
from services.integrations.adapters.stripe.parameters import INVOICE, REVISION
from services.integrations.connection_values import Link

_RANK = ("paid", "open", "uncollectible", "draft", "void")
"""Which of several with the same mark counts. There is one at most, unless somebody copied it by hand."""


async def read_invoice(api: StripeApi, link: Link, external_id: str) -> Json:
    return await api.call(link, READ_INVOICE, id=external_id)


async def find_ours(api: StripeApi, link: Link, customer_id: str, invoice_id: str, revision: int) -> Json | None:
    """The customer's invoice that carries our mark; None when it is proved that there is none."""
    found: list[Json] = []
    params: dict[str, Any] = {"customer": customer_id, "limit": 100}
    while True:
        page = await api.call(link, LIST_INVOICES, params)
        found += (one for one in page["data"] if _is_ours(one, invoice_id, revision))
        if not page["has_more"] or not page["data"]:
            return what_counts(found)
        params = {**params, "starting_after": page["data"][-1]["id"]}


def what_counts(found: Iterable[Json]) -> Json | None:
    return min(found, key=lambda one: (_RANK.index(one["status"]), one["created"]), default=None)


def _is_ours(found: Json, invoice_id: str, revision: int) -> bool:
    metadata = found.get("metadata") or {}
    return metadata.get(INVOICE) == invoice_id and metadata.get(REVISION) == str(revision)
