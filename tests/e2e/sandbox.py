"""The sandbox's control address, for tests: accounts, faults, what it holds."""

from dataclasses import dataclass
from typing import Any

from services.cli.rest import Rest
from tests.waiting import eventually


@dataclass(frozen=True)
class Account:
    """One account of the sandbox with its keys."""

    id: str
    sk_test: str
    pk_test: str
    sk_live: str
    pk_live: str


class Sandbox:
    """Calls to the control address of one sandbox process."""

    def __init__(self, url: str) -> None:
        self.rest = Rest(url, "")

    async def close(self) -> None:
        await self.rest.__aexit__(None, None, None)

    async def make_account(self, name: str) -> Account:
        made = await self.rest.call(
            "POST", "/_sandbox/accounts", {"name": name, "country": "GB", "default_currency": "gbp"}
        )
        keys = made["keys"]
        return Account(made["id"], keys["sk_test"], keys["pk_test"], keys["sk_live"], keys["pk_live"])

    async def set_limits(self, enabled: bool) -> None:
        await self.rest.call("PUT", "/_sandbox/limits", {"enabled": enabled})

    async def invoices(self, account: str) -> list[dict[str, Any]]:
        """All invoices of an account in test mode, with their lines."""
        answer = await self.rest.call("GET", f"/_sandbox/accounts/{account}/invoices")
        return list(answer["invoices"])

    async def hold(self, operation: str, when: str, account: str) -> str:
        """The next call of an operation stops there, `before` or `after` the write, until released."""
        fault = await self.rest.call(
            "POST",
            "/_sandbox/faults",
            {"operation": operation, "effect": "hold", "when": when, "account": account, "times": 1},
        )
        return str(fault["id"])

    async def held(self, fault: str) -> None:
        """Waits until a hold has been reached."""

        async def reached() -> bool:
            return bool((await self.rest.call("GET", f"/_sandbox/faults/{fault}"))["hits"])

        await eventually(reached, timeout=30, why="the step was not reached")

    async def release(self, fault: str) -> None:
        await self.rest.call("POST", f"/_sandbox/faults/{fault}/release")

    async def pay(self, invoice: str) -> None:
        await self.rest.call("POST", f"/_sandbox/invoices/{invoice}/pay")
