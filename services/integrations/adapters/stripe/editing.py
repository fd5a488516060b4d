"""A draft brought to other lines: what stands on it is removed in one call, what it is to hold is added in another.

The removal leaves a mark on the draft, made of the ids of the lines that went, which Stripe never gives out twice. The
key of the adding is made of that mark and of the new lines. So a process that takes up an edit that was cut off finds
the same key, while lines that come back after others, or any other lines, never meet an old one.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import Parameters, StripeApi
from services.integrations.adapters.stripe.customers import Customers
from services.integrations.adapters.stripe.errors import KeySpent, NotThere, RefusedBefore
from services.integrations.adapters.stripe.finalizing import finalize, key_of_its_own
from services.integrations.adapters.stripe.listing import read_invoice
from services.integrations.adapters.stripe.operations import ADD_LINES, LIST_LINES, REMOVE_LINES, Operation
from services.integrations.adapters.stripe.parameters import EDIT, lines_parameters
from services.integrations.adapters.stripe.totals import require_our_total
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import DraftContent, InvoiceRef

_WHAT_COUNTS: Final = ("amount", "description", "metadata")


class Editing:
    """Edits drafts. One that is a draft no more is answered as it is."""

    def __init__(self, api: StripeApi, customers: Customers) -> None:
        self._api = api
        self._customers = customers

    async def edit(self, link: Link, ref: InvoiceRef, content: DraftContent) -> tuple[Json, bool]:
        """Answers beside it whether it was finalized before with other lines than these, at whatever total.

        Raises AdapterError; NotThere when the draft is gone. Three calls where every line is new, else one.
        """
        found = await read_invoice(self._api, link, ref.external_id)
        if found["status"] == "draft":
            found = await self._until_it_is_no_draft(link, ref, lambda: self._replace(link, ref, found, content))
        if found["status"] != "draft":
            return found, await self._has_others(link, found, content)
        require_our_total(found, content.total, content.currency)
        if content.keep_draft:
            return found, False
        if content.buyer:
            await self._customers.address(link, None, content.buyer, found)
        found = await finalize(self._api, link, ref.external_id, key_of_its_own(ref, "finalize"))
        require_our_total(found, content.total, content.currency)  # another edit at that moment would add its lines
        return found, False

    async def _has_others(self, link: Link, found: Json, content: DraftContent) -> bool:
        """Whether a final one has other lines, as the buyer reads them."""
        if found["status"] == "void":
            return False
        wanted = lines_parameters(content.lines, content.currency)["lines"]
        return _read(await self._lines(link, found)) != _read(wanted)

    async def _until_it_is_no_draft(self, link: Link, ref: InvoiceRef, edit: Callable[[], Awaitable[Json]]) -> Json:
        """Somebody may finalize it meanwhile: no code says so, only the invoice itself."""
        try:
            return await edit()
        except AdapterError as error:
            if error.failure is not Failure.PROVIDER_REFUSED or isinstance(error, NotThere):
                raise
            found = await read_invoice(self._api, link, ref.external_id)
            if found["status"] == "draft":
                raise
            return found

    async def _replace(self, link: Link, ref: InvoiceRef, found: Json, content: DraftContent) -> Json:
        wanted = lines_parameters(content.lines, content.currency)
        present = await self._lines(link, found)
        if _told(present) == _told(wanted["lines"]):
            return found
        base, mark = f"inv:{ref.invoice_id}:r{ref.revision}", (found.get("metadata") or {}).get(EDIT, "")
        if present:
            mark = _digest(line["id"] for line in present)
            gone = [{"id": line["id"], "behavior": "delete"} for line in present]
            removal = {"lines": gone, "invoice_metadata": {EDIT: mark}}
            await self._step(link, ref, REMOVE_LINES, removal, f"{base}:clear:{mark}", filled=False)
        key = f"{base}:fill:{_digest([mark, *_told(wanted['lines'])])}"
        return await self._step(link, ref, ADD_LINES, wanted, key, filled=True)

    async def _step(
        self, link: Link, ref: InvoiceRef, operation: Operation, parameters: Parameters, key: str, *, filled: bool
    ) -> Json:
        """`filled` says whether there are lines once the step was done."""

        async def call(key: str) -> Json:
            try:
                return await self._api.call(link, operation, parameters, id=ref.external_id, key=key)
            except RefusedBefore as error:  # the same edit, asked for again: else a draft would stay empty for a day
                raise KeySpent(error.failure, error.message, details=error.details) from error

        async def look() -> Json | None:
            found = await read_invoice(self._api, link, ref.external_id)
            return found if found["status"] != "draft" or bool(found["lines"]["data"]) is filled else None

        return await self._api.chains.walk(key, call, look)

    async def _lines(self, link: Link, found: Json) -> list[Json]:
        """All lines; an invoice shows the first few only."""
        if not found["lines"]["has_more"]:
            return list(found["lines"]["data"])
        lines: list[Json] = []
        params: dict[str, Any] = {"limit": 100}
        while True:
            page = await self._api.call(link, LIST_LINES, params, id=found["id"])
            lines += page["data"]
            if not page["has_more"] or not page["data"]:
                return lines
            params = {**params, "starting_after": page["data"][-1]["id"]}


def _told(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """What lines say, in an order of its own: equal when nothing would be changed."""
    return sorted(json.dumps([line.get(name) for name in _WHAT_COUNTS], sort_keys=True) for line in lines)


def _read(lines: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    return sorted((line["amount"], " ".join((line.get("description") or "").split())) for line in lines)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
