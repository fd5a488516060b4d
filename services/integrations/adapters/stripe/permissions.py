"""The permission doctor: which permissions a key has, asked with calls that change nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from services.integrations.adapters.stripe.answers import Json
from services.integrations.adapters.stripe.operations import (
    CREATE_CUSTOMER,
    CREATE_ENDPOINT,
    CREATE_INVOICE,
    LIST_EVENTS,
    READ_ACCOUNT,
    READ_BALANCE,
    Operation,
)
from services.integrations.connection_values import Permission
from services.integrations.failures import AdapterError, Failure

_UNKNOWN: Final = {"showbill_permission_check": "1"}
"""Stripe checks the permission before the parameters: that it refuses this one says that the permission is there."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question for one permission."""

    operation: Operation
    purpose: str
    required: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)


PROBES: Final = (
    Probe(READ_BALANCE, "The key cannot be checked without it."),
    Probe(CREATE_CUSTOMER, "Buyers cannot be created as customers without it.", parameters=_UNKNOWN),
    Probe(CREATE_INVOICE, "Invoices cannot be created, sent or voided without it.", parameters=_UNKNOWN),
    Probe(LIST_EVENTS, "Payments that a webhook missed cannot be caught up without it.", parameters={"limit": "1"}),
    Probe(
        CREATE_ENDPOINT,
        "Stripe cannot tell us of payments without it; they are read from time to time instead.",
        required=False,
        parameters=_UNKNOWN,
    ),
    Probe(
        READ_ACCOUNT,
        "Without it the account’s name, country and currency, and whether it can take payments, stay unknown here.",
        required=False,
    ),
)

ASKED: Final = tuple(Permission(one.operation.tick, False, one.required, one.purpose) for one in PROBES)
"""What a key is examined for."""


@dataclass(frozen=True, slots=True)
class _Finding:
    granted: bool
    answer: Json
    account_id: str
    """The account that a refusal names."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Examination:
    """What a key may do, and what its owner is."""

    permissions: Sequence[Permission]
    balance: Json
    account: Json
    """Only the id where the key may not read it; empty where nothing names it."""
    seconds: float
    """How long Stripe took to answer the simplest call."""

    @property
    def missing(self) -> list[Permission]:
        """The required ones that are not granted."""
        return [one for one in self.permissions if one.required and not one.granted]


Ask: TypeAlias = Callable[[Operation, Mapping[str, str]], Awaitable[Json]]
"""How to call: paced where the account is known, without where it is not yet."""


async def examine(ask: Ask) -> Examination:
    """All probes at the same time. Raises AdapterError when Stripe is away or does not take the key."""
    found = await asyncio.gather(*(_answer(ask, probe) for probe in PROBES))
    by_operation = {probe.operation: one for probe, one in zip(PROBES, found, strict=True)}
    named = next((one.account_id for one in found if one.account_id), "")
    return Examination(
        permissions=[
            Permission(probe.operation.tick, one.granted, probe.required, probe.purpose)
            for probe, one in zip(PROBES, found, strict=True)
        ],
        balance=by_operation[READ_BALANCE].answer,
        account=by_operation[READ_ACCOUNT].answer or ({"id": named} if named else {}),
        seconds=by_operation[READ_BALANCE].seconds,
    )


async def _answer(ask: Ask, probe: Probe) -> _Finding:
    began = time.perf_counter()
    granted, answer, account_id = True, {}, ""
    try:
        answer = await ask(probe.operation, probe.parameters)
    except AdapterError as error:
        if error.failure is Failure.PERMISSION_MISSING:
            granted, account_id = False, error.details.get("account_id", "")
        elif error.failure is not Failure.PROVIDER_REFUSED or probe.parameters is not _UNKNOWN:
            raise
    return _Finding(granted, answer, account_id, time.perf_counter() - began)


def missing_permissions(missing: Sequence[Permission]) -> AdapterError:
    """Names every permission to tick."""
    named = " and ".join(" to ".join(one.name.split(": ")) for one in missing)
    deed = "create invoices" if any(one.name.startswith("Invoices") for one in missing) else "do all that is needed"
    return AdapterError(
        Failure.PERMISSION_MISSING,
        f"This key can’t {deed}. In Stripe, open the key, choose Edit, set {named}, save, then try again.",
        details={"permission": ", ".join(one.name for one in missing)},
    )
