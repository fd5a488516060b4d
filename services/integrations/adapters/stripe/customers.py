"""The customer of a buyer: from our own book, made once, never searched for."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import FIRST_PATIENCE, StripeApi
from services.integrations.adapters.stripe.errors import BAD_ADDRESS, NotThere
from services.integrations.adapters.stripe.operations import (
    CREATE_CUSTOMER,
    LIST_CUSTOMERS,
    READ_CUSTOMER,
    UPDATE_CUSTOMER,
)
from services.integrations.adapters.stripe.parameters import CUSTOMER, LONGEST_EMAIL, customer_parameters, marked
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import Buyer
from services.integrations.ports import CustomerBook, CustomerRecord

WINDOW: Final = timedelta(hours=23)
"""How long an idempotency key surely protects: Stripe forgets it after a day."""
_OVERTAKEN: Final = "This buyer’s customer in Stripe was changed a moment before. It is safe to try again."
_CLOCKS_APART: Final = timedelta(minutes=5)
_MOST_PAGES: Final = 20
"""Of a hundred customers each that are looked through for one. A second one harms nobody: no invoice is made for a
customer before it is known."""


class Customers:
    """Finds or makes the customer of a buyer."""

    def __init__(self, api: StripeApi, book: CustomerBook) -> None:
        self._api = api
        self._book = book

    async def of(self, link: Link, buyer: Buyer) -> CustomerRecord:
        """The buyer's record with a customer id. No call to Stripe when it is known and its e-mail is unchanged."""
        wanted = customer_parameters(link, buyer)
        record = await self._book.reserve(link, buyer, wanted)
        if record.customer_id and buyer.email and record.parameters.get("email") != wanted["email"]:
            try:
                return await self._tell_email(link, record, wanted["email"])
            except NotThere:
                await self.forget(record)
                record = await self._book.reserve(link, buyer, wanted)
        if record.customer_id:
            return record
        record = await self._make(link, record)
        if buyer.email and record.parameters.get("email") != wanted["email"]:
            record = await self._tell_email(link, record, wanted["email"])
        return record

    async def readdress(self, link: Link, record: CustomerRecord, buyer: Buyer) -> None:
        """Tells the buyer's address once more, though the book has it: another show, or somebody at Stripe, told
        another one meanwhile. A draft takes it from the customer as it is finalized.
        """
        with contextlib.suppress(NotThere):
            await self._tell_email(link, record, customer_parameters(link, buyer)["email"])

    async def address(self, link: Link, record: CustomerRecord | None, buyer: Buyer, draft: Json) -> None:
        """Before a draft is finalized: has it go to the buyer's address, where it is mailed and would go to another."""
        mailed = bool(buyer.email) and draft.get("collection_method") == "send_invoice"
        if not mailed or (draft.get("customer_email") or "").lower() == buyer.email[:LONGEST_EMAIL].lower():
            return
        record = record or await self._book.find(link, buyer)
        if record and record.customer_id == draft.get("customer"):
            await self.readdress(link, record, buyer)

    async def ever(self, link: Link, buyer: Buyer) -> Sequence[str]:
        """The ids of every customer that the buyer is or was; asks Stripe nothing."""
        return await self._book.ever(link, buyer)

    async def is_gone(self, link: Link, customer_id: str) -> bool:
        """Whether Stripe does not know that it ever had this customer, as once test data are deleted. It does know one
        that was deleted by itself.
        """
        try:
            await self._api.call(link, READ_CUSTOMER, id=customer_id)
        except NotThere:
            return True
        return False

    async def _make(self, link: Link, record: CustomerRecord) -> CustomerRecord:
        parameters = marked(record.parameters, record.id)
        found = await self._look(link, record) if datetime.now(UTC) - record.create_time > WINDOW else None

        async def create(key: str) -> Json:
            try:
                with _naming(parameters.get("email")):
                    return await self._api.call(link, CREATE_CUSTOMER, parameters, key=key, patience=FIRST_PATIENCE)
            except AdapterError as error:
                if error.failure is Failure.PROVIDER_REFUSED:
                    await self._book.forget(record)  # whose key and parameters would be refused for ever
                raise

        if found is None:
            found = await self._api.chains.walk(f"cus:{record.id}", create, lambda: self._look(link, record))
        return await self._settled(record, found["id"], record.parameters)

    async def _look(self, link: Link, record: CustomerRecord) -> Json | None:
        """The customer that carries our mark, among the newest of those made since the record was written."""
        since = int((record.create_time - _CLOCKS_APART).timestamp())
        params: dict[str, Any] = {"created": {"gte": since}, "limit": 100}
        if record.parameters.get("email"):
            params["email"] = record.parameters["email"]
        for _ in range(_MOST_PAGES):
            page = await self._api.call(link, LIST_CUSTOMERS, params)
            for customer in page["data"]:
                if (customer.get("metadata") or {}).get(CUSTOMER) == record.id:
                    return cast(Json, customer)
            if not page["has_more"] or not page["data"]:
                return None
            params = {**params, "starting_after": page["data"][-1]["id"]}
        return None

    async def _tell_email(self, link: Link, record: CustomerRecord, email: object) -> CustomerRecord:
        """An e-mail that became known, or changed. Setting it twice is the same, so that no key is needed."""
        with _naming(email):
            await self._api.call(link, UPDATE_CUSTOMER, {"email": email}, id=record.customer_id)
        return await self._settled(record, record.customer_id, {**record.parameters, "email": email})

    async def _settled(
        self, record: CustomerRecord, customer_id: str, parameters: Mapping[str, object]
    ) -> CustomerRecord:
        """Before an invoice is made for the customer: else nobody would find it again."""
        if not await self._book.settle(record, customer_id, parameters):
            raise AdapterError(Failure.PROVIDER_UNAVAILABLE, _OVERTAKEN)
        return CustomerRecord(record.id, parameters, customer_id, record.create_time)

    async def forget(self, record: CustomerRecord) -> None:
        """The customer was deleted at Stripe, or never made: who asks again makes a new one."""
        await self._book.forget(record)


@contextlib.contextmanager
def _naming(email: object) -> Iterator[None]:
    """Says which address was refused: the buyer may have another one by now."""
    try:
        yield
    except AdapterError as error:
        if error.details.get("code") != BAD_ADDRESS:
            raise
        sentence = f"Stripe rejected the e-mail address “{email}”. Fix the address on the buyer, then retry."
        raise AdapterError(error.failure, sentence, details=error.details) from error
