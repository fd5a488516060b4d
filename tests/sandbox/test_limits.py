"""Stripe's rate limits, by a clock that the test moves and once over HTTP."""

import asyncio

import aiohttp
import pytest

from services.sandbox.errors import ApiError
from services.sandbox.limits import RateLimiter
from services.sandbox.records import Account as AccountRecord
from services.sandbox.store import Dataset
from tests.sandbox.harness import Account, Control

# Status, code and all headers: there is no Retry-After.
ENDPOINT = "429 rate_limit endpoint-rate"
GLOBAL = "429 rate_limit global-rate"


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def dataset(*, livemode: bool) -> Dataset:
    return Dataset(AccountRecord("acct_1", "A", "GB", "gbp", 0, "a@example.com", "v"), livemode)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def admitted(limiter: RateLimiter, of: Dataset, operations: list[str]) -> tuple[int, str]:
    """How many pass, and the reason of the refusal."""
    passed = 0
    for operation in operations:
        try:
            limiter.admit(of, operation)
        except ApiError as error:
            return passed, f"{error.status} {error.code} {' '.join(error.headers.values())}"
        passed += 1
    return passed, ""


def test_one_operation_gets_25_a_second(seconds: Seconds) -> None:
    limiter = RateLimiter(seconds)
    of = dataset(livemode=True)
    assert admitted(limiter, of, ["invoices.create"] * 30) == (25, ENDPOINT)
    assert admitted(limiter, of, ["customers.create"] * 30) == (25, ENDPOINT)
    seconds.now += 0.2
    assert admitted(limiter, of, ["invoices.create"] * 30) == (5, ENDPOINT)


def test_an_account_gets_25_in_test_and_100_live(seconds: Seconds) -> None:
    mixed = [f"operation.{number % 10}" for number in range(200)]
    assert admitted(RateLimiter(seconds), dataset(livemode=False), mixed) == (25, GLOBAL)
    assert admitted(RateLimiter(seconds), dataset(livemode=True), mixed) == (100, GLOBAL)


def test_a_refused_request_uses_up_nothing(seconds: Seconds) -> None:
    limiter = RateLimiter(seconds)
    of = dataset(livemode=True)
    admitted(limiter, of, ["invoices.create"] * 100)
    assert admitted(limiter, of, [f"other.{number % 5}" for number in range(100)]) == (75, GLOBAL)


async def test_a_burst_over_http_is_answered_429(
    control: Control, session: aiohttp.ClientSession, account: Account
) -> None:
    await control.put("/settings", rate_limits={"enabled": True})
    headers = {"Authorization": f"Bearer {account.keys['sk_test']}"}

    async def ask() -> tuple[int, str | None, str]:
        async with session.get("/v1/customers", headers=headers) as response:
            reason = response.headers.get("Stripe-Rate-Limited-Reason")
            return response.status, reason, (await response.json()).get("error", {}).get("message", "")

    answers = await asyncio.gather(*(ask() for _ in range(60)))
    limited = [answer for answer in answers if answer[0] == 429]
    assert 25 <= len(answers) - len(limited) < 60, "how many exactly goes by how long they took"
    assert {reason for _, reason, _ in limited} <= {"endpoint-rate", "global-rate"}
    assert limited[0][2].startswith("Testmode request rate limit exceeded")
    assert (await control.get("/calls", account=account.id))["operations"]["customers.list"]["limited"] == len(limited)
