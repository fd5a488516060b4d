"""Brings an order to exactly one invoice: customer, draft, all lines in one call, the total compared, finalized."""

from datetime import UTC, datetime

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import FIRST_PATIENCE, StripeApi
from services.integrations.adapters.stripe.changing import Changing
from services.integrations.adapters.stripe.customers import WINDOW, Customers
from services.integrations.adapters.stripe.errors import MISSING, NotThere
from services.integrations.adapters.stripe.finalizing import finalize
from services.integrations.adapters.stripe.listing import find_ours, read_invoice, what_counts
from services.integrations.adapters.stripe.operations import ADD_LINES, CREATE_INVOICE
from services.integrations.adapters.stripe.parameters import invoice_parameters, lines_parameters
from services.integrations.adapters.stripe.totals import require_our_total
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import Buyer, InvoiceOrder, InvoiceRef
from services.integrations.ports import CustomerRecord


class Issuing:
    """The way from an order to its invoice. Four calls for a new customer, three for a known one."""

    def __init__(self, api: StripeApi, customers: Customers, changing: Changing) -> None:
        self._api = api
        self._customers = customers
        self._changing = changing

    async def issue(self, link: Link, order: InvoiceOrder) -> Json:
        """Raises AdapterError; nothing is finalized unless the total is ours to the unit."""
        began = datetime.now(UTC)
        customer = await self._customers.of(link, order.buyer)
        found = await self._earlier(link, order, customer, began) or await self._create(link, order, customer)
        try:
            if found["status"] == "draft" and not found["lines"]["data"]:
                found = await self._add_lines(link, order, found["id"])
            require_our_total(found, order.total, order.currency)
            if found["status"] == "draft" and not order.keep_draft:
                await self._customers.address(link, customer, order.buyer, found)
                found = await finalize(self._api, link, found["id"], _key(order, "finalize"))
                require_our_total(found, order.total, order.currency)
        except NotThere as error:
            raise _draft_deleted(error) from error
        return found

    async def find(self, link: Link, buyer: Buyer, invoice_id: str, revision: int) -> Json | None:
        """An invoice is made for a customer that stands in our book, hence without one there is none."""
        found = [
            one
            for customer_id in await self._customers.ever(link, buyer)
            if (one := await self._of_customer(link, customer_id, invoice_id, revision))
        ]
        return what_counts(found)

    async def _of_customer(self, link: Link, customer_id: str, invoice_id: str, revision: int) -> Json | None:
        """With a customer that Stripe does not even know to be deleted, all that was made for it is gone."""
        try:
            return await find_ours(self._api, link, customer_id, invoice_id, revision)
        except AdapterError as error:
            if error.details.get("code") != MISSING or not await self._customers.is_gone(link, customer_id):
                raise
            return None

    async def _earlier(self, link: Link, order: InvoiceOrder, customer: CustomerRecord, now: datetime) -> Json | None:
        """What an earlier attempt left, where the idempotency key of this one would not find it."""
        first = order.first_attempt_time
        if order.attempt <= 1 and (first is None or now - first <= WINDOW):
            return None
        return await self._left(link, order, customer)

    async def _left(self, link: Link, order: InvoiceOrder, customer: CustomerRecord) -> Json | None:
        """What carries the order's mark. Of one that was voided the next attempt makes another."""
        found = await self.find(link, order.buyer, order.invoice_id, order.revision)
        if found and found["status"] == "draft" and found.get("customer") != customer.customer_id:
            return await self._without(link, order, found)
        return None if found and order.attempt > 1 and _is_voided(found) else found

    async def _without(self, link: Link, order: InvoiceOrder, draft: Json) -> Json | None:
        """Deletes the draft of a customer that the buyer is no more, which is never finalized. None once it is gone."""
        ref = InvoiceRef(draft["id"], order.invoice_id, order.revision)
        try:
            found = await self._changing.void(link, ref)
        except NotThere:
            return None
        return None if found.get("deleted") or found["status"] == "void" else found

    async def _create(self, link: Link, order: InvoiceOrder, customer: CustomerRecord) -> Json:
        parameters = invoice_parameters(link, order, customer.customer_id)

        async def create(key: str) -> Json:
            return await self._api.call(link, CREATE_INVOICE, parameters, key=key, patience=FIRST_PATIENCE)

        if order.attempt > 1 and order.buyer.email:  # Stripe refuses it for a customer whose address was emptied there
            await self._customers.readdress(link, customer, order.buyer)
        try:
            return await self._api.chains.walk(_key(order, "create"), create, lambda: self._left(link, order, customer))
        except AdapterError as error:
            if error.details.get("code") == MISSING and error.details.get("param") == "customer":
                await self._customers.forget(customer)
            raise

    async def _add_lines(self, link: Link, order: InvoiceOrder, external_id: str) -> Json:
        parameters = lines_parameters(order.lines, order.currency)

        async def add(key: str) -> Json:
            return await self._api.call(link, ADD_LINES, parameters, id=external_id, key=key)

        async def look() -> Json | None:
            found = await read_invoice(self._api, link, external_id)
            return found if found["lines"]["data"] or found["status"] != "draft" else None

        try:
            return await self._api.chains.walk(_key(order, "lines"), add, look)
        except AdapterError as error:
            if error.failure is not Failure.PROVIDER_REFUSED or isinstance(error, NotThere):
                raise
            # It may have been finalized or filled meanwhile: no code says so, only the invoice itself.
            found = await look()
            if found is None:
                raise
            return found


def _is_voided(found: Json) -> bool:
    """Not one that was edited: what replaced it counts."""
    return found["status"] == "void" and found.get("latest_revision") in (None, found["id"])


def _draft_deleted(error: NotThere) -> AdapterError:
    sentence = "The draft was deleted in Stripe before it was finished. Retry, and a new one is created."
    return AdapterError(Failure.PROVIDER_REFUSED, sentence, details=error.details)


def _key(order: InvoiceOrder, step: str) -> str:
    return f"inv:{order.invoice_id}:r{order.revision}:{step}:a{order.attempt}"
