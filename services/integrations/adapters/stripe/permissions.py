"""Which permissions a key has, asked with calls that change nothing."""

import asyncio
from typing import Final

from services.common.secret import Secret
from services.integrations.adapters.stripe.api import Parameters, StripeApi
from services.integrations.adapters.stripe.operations import CREATE_CUSTOMER, CREATE_INVOICE, LIST_EVENTS, Operation
from services.integrations.failures import AdapterError, Failure
from services.integrations.ports import Permission

_NOT_A_THING: Final = "showbill_permission_check"

PURPOSES: Final = {
    CREATE_CUSTOMER: "Buyers cannot be created as customers without it.",
    CREATE_INVOICE: "Invoices cannot be created, sent or voided without it.",
    LIST_EVENTS: "Payments that a webhook missed cannot be caught up without it.",
}


async def permissions_of(api: StripeApi, secret_key: Secret) -> tuple[Permission, ...]:
    """One probe for each permission that is needed, at the same time. Raises AdapterError when Stripe is away.

    A write is probed with a parameter that Stripe does not know. It checks the permission before the parameters: the
    refusal of the parameter says that the permission is there, and nothing is made.
    """
    wrong = {_NOT_A_THING: "1"}
    probes = {CREATE_CUSTOMER: wrong, CREATE_INVOICE: wrong, LIST_EVENTS: {"limit": "1"}}
    granted = await asyncio.gather(*(_granted(api, secret_key, one, params) for one, params in probes.items()))
    return tuple(
        Permission(operation.tick, was_granted, required=True, purpose=PURPOSES[operation])
        for operation, was_granted in zip(probes, granted, strict=True)
    )


async def _granted(api: StripeApi, secret_key: Secret, operation: Operation, params: Parameters) -> bool:
    try:
        await api.ask(secret_key, operation, params)
    except AdapterError as error:
        if error.failure is Failure.PERMISSION_MISSING:
            return False
        if error.failure is not Failure.PROVIDER_REFUSED:
            raise
    return True
