"""Makes a draft payable. A draft that is one no more is answered as it is: the invoice decides, not the error."""

from services.common.ids import new_id
from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.errors import NotThere
from services.integrations.adapters.stripe.listing import read_invoice
from services.integrations.adapters.stripe.operations import FINALIZE_INVOICE
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import InvoiceRef


def key_of_its_own(ref: InvoiceRef, verb: str) -> str:
    """A key for one call of a verb that the invoice's own status keeps from being done twice.

    A key that came back would hold a refusal of today against a try of tomorrow: Stripe saves those too.
    """
    return f"inv:{ref.invoice_id}:r{ref.revision}:{verb}:{new_id()}"


async def finalize(api: StripeApi, link: Link, external_id: str, base: str) -> Json:
    """`base` is the first idempotency key of the step. Raises AdapterError."""

    async def call(key: str) -> Json:
        return await api.call(link, FINALIZE_INVOICE, {"auto_advance": False}, id=external_id, key=key)

    async def look() -> Json | None:
        found = await read_invoice(api, link, external_id)
        return found if found["status"] != "draft" else None

    try:
        return await api.chains.walk(base, call, look)
    except AdapterError as error:
        if error.failure is not Failure.PROVIDER_REFUSED or isinstance(error, NotThere):
            raise
        found = await look()
        if found is None:
            raise
        return found
