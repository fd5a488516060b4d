"""The sandbox's control address, for tests: accounts, faults, what it holds."""

from dataclasses import dataclass
from typing import Any

from services.cli.rest import Rest


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
        self.rest = Rest(url, "", patience=120)

    async def close(self) -> None:
        await self.rest.__aexit__(None, None, None)

    async def make_account(self, name: str, **values: Any) -> Account:
        made = await self.rest.call(
            "POST", "/_sandbox/accounts", {"name": name, "country": "GB", "default_currency": "gbp", **values}
        )
        keys = made["keys"]
        return Account(made["id"], keys["sk_test"], keys["pk_test"], keys["sk_live"], keys["pk_live"])

    async def set_limits(self, enabled: bool) -> None:
        await self.rest.call("PUT", "/_sandbox/settings", {"rate_limits": {"enabled": enabled}})

    async def invoices(self, account: str) -> list[dict[str, Any]]:
        """All invoices of an account in test mode, with their lines."""
        answer = await self.rest.call("GET", f"/_sandbox/accounts/{account}/invoices")
        return list(answer["invoices"])

    async def events(self, account: str) -> list[dict[str, Any]]:
        answer = await self.rest.call("GET", f"/_sandbox/accounts/{account}/events")
        return list(answer["events"])

    async def webhook_endpoint(self, account: str) -> dict[str, Any]:
        """The account's one endpoint, with its secret."""
        answer = await self.rest.call("GET", f"/_sandbox/accounts/{account}/webhook_endpoints")
        (endpoint,) = answer["webhook_endpoints"]
        return dict(endpoint)

    async def calls(self, account: str) -> dict[str, Any]:
        answer = await self.rest.call("GET", "/_sandbox/calls", params={"account": account})
        return dict(answer["operations"])

    async def hold(self, operation: str, when: str, account: str) -> str:
        """The next call of an operation stops there, `before` or `after` the write, until released."""
        rule = {"operation": operation, "effect": "hold", "when": when, "account": account}
        return str((await self.rest.call("POST", "/_sandbox/faults", rule))["id"])

    async def held(self, fault: str) -> None:
        """Waits until a hold has been reached."""
        answer = await self.rest.call("GET", f"/_sandbox/faults/{fault}", params={"wait_hits": "1", "timeout": "90"})
        assert answer["hits"], "the step was not reached"

    async def release(self, fault: str) -> None:
        await self.rest.call("POST", f"/_sandbox/faults/{fault}/release")

    async def refuse_buyer(self, account: str, platform_user_id: str) -> str:
        """Every invoice for this buyer is refused until the fault is removed."""
        rule = {
            "operation": "invoices.create",
            "effect": "error",
            "status": 400,
            "times": None,
            "account": account,
            "customer": {"metadata": {"platform_user_id": platform_user_id}},
        }
        return str((await self.rest.call("POST", "/_sandbox/faults", rule))["id"])

    async def add_fault(self, rule: dict[str, Any]) -> str:
        """Any rule, as the sandbox's documentation has them."""
        return str((await self.rest.call("POST", "/_sandbox/faults", rule))["id"])

    async def remove_fault(self, fault: str) -> None:
        await self.rest.call("DELETE", f"/_sandbox/faults/{fault}")

    async def lose_webhooks(self, account: str) -> None:
        """From now on no webhook of this account arrives."""
        rule = {"effect": "drop", "times": None, "account": account}
        await self.rest.call("POST", "/_sandbox/webhook_faults", rule)

    async def revoke(self, key: str) -> None:
        await self.rest.call("POST", "/_sandbox/keys/revoke", {"key": key})

    async def deliveries_idle(self, account: str) -> None:
        """Waits until no webhook of an account is on its way; others may be refused for long."""
        answer = await self.rest.call("GET", "/_sandbox/deliveries/idle", params={"timeout": "90", "account": account})
        assert answer["idle"], "webhooks are still on their way"

    async def pay(self, invoice: str) -> None:
        await self.rest.call("POST", f"/_sandbox/invoices/{invoice}/pay")
