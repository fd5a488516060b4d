"""Faults on demand: what happens before or after a chosen operation of a chosen buyer, how many times."""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from services.sandbox import errors, ids
from services.sandbox.call import Call
from services.sandbox.records import Json

Effect = Literal["error", "cut", "hold", "delay"]
Moment = Literal["before", "after"]

_LOOK_FOR_CLIENT_SECONDS = 0.05
_NEVER_KEPT = frozenset({401, 403, 409, 429})


class BuyerMatch(msgspec.Struct, forbid_unknown_fields=True):
    """The customer the operation is about; every part given must fit. Patterns may hold * and ?."""

    id: str | None = None
    email: str | None = None
    name: str | None = None
    metadata: dict[str, str] = {}


class FaultRule(msgspec.Struct, forbid_unknown_fields=True):
    operation: str
    """`invoices.create`; * and ? match any."""
    effect: Effect
    when: Moment = "before"
    """Before the write or after it."""
    times: int | None = 1
    """How often; null is always."""
    skip: int = 0
    """How many matching requests pass first."""
    account: str | None = None
    customer: BuyerMatch | None = None
    status: int = 500
    error: dict[str, str] = {}
    """Of an error: code, message, param, type; what is missing is as Stripe has it for the status."""
    headers: dict[str, str] = {}
    keep: bool | None = None
    """Whether the answer stays under the idempotency key. By default as on Stripe."""
    seconds: float = 0.0
    """Of a delay."""


class Fault:
    """A rule in force, and what it met."""

    def __init__(self, rule: FaultRule) -> None:
        self.id = ids.short_id("flt")
        self.rule = rule
        self.met = 0
        self.hits = 0
        self.waiting = 0
        self.requests: list[str] = []
        self.released = asyncio.Event()
        self.changed = asyncio.Condition()

    def matches(self, operation: str, moment: Moment, call: Call) -> bool:
        rule = self.rule
        return (
            rule.when == moment
            and fnmatchcase(operation, rule.operation)
            and (rule.times is None or self.hits < rule.times)
            and (rule.account is None or rule.account == call.dataset.account.id)
            and (rule.customer is None or _fits(rule.customer, _customer_of(operation, call)))
        )

    def take(self, request_id: str | None) -> bool:
        """Counts a matching request; false while it is to be let through."""
        self.met += 1
        if self.met <= self.rule.skip:
            return False
        self.hits += 1
        self.requests.append(request_id or "")
        return True

    def shown(self) -> Json:
        return {
            "id": self.id,
            "rule": msgspec.to_builtins(self.rule),
            "hits": self.hits,
            "waiting": self.waiting,
            "released": self.released.is_set(),
            "requests": self.requests,
        }

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def wait_for_hits(self, hits: int, timeout: float) -> None:
        """Returns when the rule was hit so often, or when the time is over."""
        try:
            async with asyncio.timeout(timeout), self.changed:
                await self.changed.wait_for(lambda: self.hits >= hits)
        except TimeoutError:
            return


class Cut(Exception):
    """The connection is to be cut without an answer."""


class Faults:
    def __init__(self) -> None:
        self.active: dict[str, Fault] = {}

    def add(self, rule: FaultRule) -> Fault:
        fault = Fault(rule)
        self.active[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        fault = self.active.pop(fault_id, None)
        if fault is not None:
            fault.released.set()
        return fault is not None

    def clear(self) -> None:
        for fault_id in list(self.active):
            self.remove(fault_id)

    async def strike(self, operation: str, moment: Moment, call: Call, gone: Callable[[], bool]) -> None:
        """Lets the first matching rule act: waits, or raises ApiError or Cut. `gone`: the client hung up."""
        for fault in self.active.values():
            if fault.matches(operation, moment, call) and fault.take(call.cause.request_id):
                await self._act(fault, gone)
                return

    async def _act(self, fault: Fault, gone: Callable[[], bool]) -> None:
        fault.waiting += fault.rule.effect == "hold"
        await fault.tell()
        if fault.rule.effect == "hold":
            await _hold(fault, gone)
        elif fault.rule.effect == "delay":
            await asyncio.sleep(fault.rule.seconds)
        elif fault.rule.effect == "cut":
            raise Cut
        else:
            raise _error(fault.rule)


async def _hold(fault: Fault, gone: Callable[[], bool]) -> None:
    """Until it is released, or its client is gone: nobody waits for the answer then, and the work goes on."""
    while not fault.released.is_set() and not gone():
        try:
            async with asyncio.timeout(_LOOK_FOR_CLIENT_SECONDS):
                await fault.released.wait()
        except TimeoutError:
            continue
    fault.waiting -= 1


def _error(rule: FaultRule) -> errors.ApiError:
    keep = rule.keep if rule.keep is not None else rule.status not in _NEVER_KEPT
    message, kind, code = _defaults(rule.status)
    headers = dict(rule.headers)
    if rule.status == 429 and rule.error.get("code") != "lock_timeout":
        headers.setdefault("Stripe-Rate-Limited-Reason", "endpoint-rate")
    return errors.ApiError(
        rule.status,
        rule.error.get("message", message),
        kind=rule.error.get("type", kind),
        code=rule.error.get("code", code),
        param=rule.error.get("param"),
        headers=headers,
        executed=keep,
    )


def _defaults(status: int) -> tuple[str, str, str | None]:
    """Message, type and code."""
    if status == 429:
        return errors.rate_limited("endpoint-rate", livemode=False).message, "invalid_request_error", "rate_limit"
    if status >= 500:
        return errors.internal_error().message, "api_error", None
    if status == 402:
        return "Your card was declined.", "card_error", "card_declined"
    return "This customer was refused by a rule of the sandbox.", "invalid_request_error", None


def _customer_of(operation: str, call: Call) -> Json | None:
    """The customer as kept, or as about to be made."""
    if operation == "customers.create":
        return call.params
    dataset = call.dataset
    customer_id: Any = call.path.get("id") if operation.startswith("customers.") else call.params.get("customer")
    invoice = dataset.invoices.get(call.path.get("id", ""))
    if invoice is not None:
        customer_id = invoice.body["customer"]
    customer = dataset.customers.get(customer_id or "")
    return customer.body if customer else None


def _fits(match: BuyerMatch, customer: Json | None) -> bool:
    if customer is None:
        return False
    metadata = customer.get("metadata") or {}
    return all(
        wanted is None or fnmatchcase(str(customer.get(name) or ""), wanted)
        for name, wanted in (("id", match.id), ("email", match.email), ("name", match.name))
    ) and all(fnmatchcase(str(metadata.get(key, "")), wanted) for key, wanted in match.metadata.items())
