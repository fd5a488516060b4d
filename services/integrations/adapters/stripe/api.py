"""Calls to Stripe: one client for the process, a key for each call, paced, retried where Stripe did nothing."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeAlias, cast

import aiohttp
import stripe
import structlog
from prometheus_client import Counter, Histogram

from services.common import tracing
from services.common.secret import Secret
from services.integrations.adapters.stripe.answers import Json, not_understood, read_object
from services.integrations.adapters.stripe.errors import TRANSPORT, Busy, translate
from services.integrations.adapters.stripe.keys import secret_key_of
from services.integrations.adapters.stripe.operations import Operation
from services.integrations.adapters.stripe.steps import Chains
from services.integrations.connection_values import Link
from services.integrations.ports import Pace

log = structlog.get_logger()

_CALL_SECONDS: Final = Histogram("showbill_stripe_seconds", "Calls to Stripe, by operation.", ("operation",))
_CALLS_FAILED: Final = Counter(
    "showbill_stripe_failed",
    "Calls that Stripe refused or did not answer, by operation and error.",
    ("operation", "error"),
)
_WAIT_SECONDS: Final = Histogram("showbill_stripe_wait_seconds", "Waiting for an account's turn to call Stripe.")

TIMEOUT: Final = 20.0
"""Seconds for one call to Stripe."""
FIRST_PATIENCE: Final = 2.0
"""Seconds that the first call of a piece of work waits for its turn: beyond that the caller comes again."""
LATER_PATIENCE: Final = 15.0
"""Seconds that a later one waits: giving up half-way would waste the calls that were made."""
_YIELDING: Final = 5.0
"""Seconds for which a call that nobody waits for lets the others pass."""
_TRIES: Final = 4
_HOLD: Final = 0.1
"""Seconds by which a 429 puts off what comes next: the bucket at Stripe is empty and must fill again."""

Parameters: TypeAlias = Mapping[str, Any]


class _RawRequest(Protocol):
    """What the SDK leaves untyped."""

    async def __call__(self, method_: str, url_: str, **params: object) -> stripe.StripeResponse: ...


class StripeApi:
    """The client. Make it inside the running loop, close it at the end."""

    def __init__(self, base: str, pace: Pace) -> None:
        stripe.enable_telemetry = False
        self._http = stripe.AIOHTTPClient(
            timeout=cast(Any, aiohttp.ClientTimeout(total=TIMEOUT)),
            connector=aiohttp.TCPConnector(limit=0),
        )
        # The key here is never sent: each call names its own.
        self._client = stripe.StripeClient(
            "unused", base_addresses={"api": base.rstrip("/")}, http_client=self._http, max_network_retries=0
        )
        self._pace = pace
        self.chains = Chains()

    async def ask(self, secret_key: Secret, operation: Operation, params: Parameters | None = None) -> Json:
        """One call before the account is known, hence without pacing. Raises AdapterError."""
        return await self._once(secret_key, operation, "", params, "")

    async def call(
        self,
        link: Link,
        operation: Operation,
        params: Parameters | None = None,
        *,
        id: str = "",  # noqa: A002  # what the path calls it
        key: str = "",
        patience: float = LATER_PATIENCE,
    ) -> Json:
        """One call in its turn, again a few times while Stripe is busy. `key` is the idempotency key.

        In the background, as the link says, it lets calls that somebody waits for pass.

        Raises AdapterError: KeySpent and NotThere for what callers decide on.
        """
        for attempt in range(1, _TRIES + 1):
            if link.background:
                await self._pace.wait_idle(link, operation.name, _YIELDING, patience)
            else:
                with _WAIT_SECONDS.time():
                    await self._pace.wait(link, operation.name, patience)
            try:
                return await self._once(secret_key_of(link), operation, id, params, key)
            except Busy as busy:
                log.info("stripe is busy", operation=operation.name, details=busy.details, attempt=attempt)
                if busy.too_fast:
                    await self._pace.hold(link, None if busy.whole_account else operation.name, _HOLD * attempt)
                if attempt == _TRIES:
                    raise
            await asyncio.sleep(0.1 * 2**attempt * random.uniform(0.5, 1))  # noqa: S311  # jitter, no secret
        raise AssertionError("the last try returns or raises")

    async def _once(
        self, secret_key: Secret, operation: Operation, object_id: str, params: Parameters | None, key: str
    ) -> Json:
        """The SDK's raw request: its transport, encoding and errors, without its objects, which cost more than all
        the rest and of which nothing is needed."""
        options = {"api_key": secret_key.reveal(), **({"idempotency_key": key} if key else {})}
        send = cast(_RawRequest, self._client.raw_request_async)
        try:
            with tracing.span(f"stripe {operation.name}", tracing.CLIENT), _CALL_SECONDS.labels(operation.name).time():
                answer = await send(operation.method, operation.url(object_id), **(params or {}), **options)
        except (stripe.StripeError, *TRANSPORT) as error:
            _CALLS_FAILED.labels(operation.name, type(error).__name__).inc()
            raise translate(error, operation) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The SDK reads every body before it looks at it, an error's too: a proxy's may be of any shape.
            raise not_understood(operation) from error
        return read_object(answer.data, operation)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK has no types here
