"""A workspace with its Stripe account in the sandbox, and the invoices that it wants."""

from typing import Any

import aiohttp

from services.common.context import Identity
from services.common.ids import new_id
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.sandbox import Account, Sandbox
from tests.integrations.caller import Caller


def line(quantity: int = 2, unit_price: int | None = 250, title: str = "WHITE HANGING HEART") -> pb.InvoiceLine:
    return pb.InvoiceLine(
        item_number="85123A",
        title=title,
        quantity=quantity,
        unit_price=unit_price,
        amount=quantity * (unit_price or 0),
    )


class Shop:
    """Everything that a test does in the name of one workspace."""

    def __init__(self, caller: Caller, sandbox: Sandbox, account: Account) -> None:
        self.caller = caller
        self.sandbox = sandbox
        self.account = account
        self.who = Identity(new_id(), f"user:{new_id()}")

    async def connect(self, secret: str = "", publishable: str = "") -> pb.ConnectIntegrationResponse:
        keys = {
            "secret_key": secret or self.account.sk_test,
            "publishable_key": publishable or self.account.pk_test,
        }
        return await self.caller.connect(self.who, keys)

    def order(
        self, *lines: pb.InvoiceLine, buyer: str | pb.InvoiceBuyer = "", **values: Any
    ) -> pb.CreateInvoiceRequest:
        """An invoice of this workspace's account, one of its own each time."""
        wanted = lines or (line(), line(1, 1999, "LUNCH BAG"))
        if isinstance(buyer, str):
            user = buyer or new_id()
            buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id=user, handle=f"@{user[-6:]}")
        fields: dict[str, Any] = {
            "provider": "stripe",
            "invoice_id": new_id(),
            "revision": 1,
            "account_id": self.account.id,
            "buyer": buyer,
            "currency": "GBP",
            "lines": wanted,
            "total": sum(one.amount for one in wanted),
            "show_name": "Friday live",
            "show_date": "2010-12-01",
        }
        return pb.CreateInvoiceRequest(**(fields | values))

    async def create(self, order: pb.CreateInvoiceRequest) -> pb.ProviderInvoice:
        return await self.caller.create(self.who, order)

    async def invoices(self) -> list[dict[str, Any]]:
        """What the sandbox holds for the account in test mode."""
        return await self.sandbox.invoices(self.account.id)

    async def calls(self) -> dict[str, int]:
        """How often each operation was done for the account; what was refused or replayed does not count."""
        found = await self.sandbox.calls(self.account.id)
        return {operation: counts["succeeded"] - counts["replayed"] for operation, counts in found.items()}

    async def fault(self, operation: str, effect: str, when: str = "before", **rule: Any) -> str:
        body = {"operation": operation, "effect": effect, "when": when, "account": self.account.id, **rule}
        return str((await self.sandbox.rest.call("POST", "/_sandbox/faults", body))["id"])

    async def edit_at_stripe(self, external_id: str, amount: int) -> None:
        """Adds a line to a draft, as the operator would in the dashboard."""
        headers = {"Authorization": f"Bearer {self.account.sk_test}"}
        body = {"lines[0][amount]": str(amount), "lines[0][description]": "Postage"}
        url = f"{self.sandbox.rest.url}/v1/invoices/{external_id}/add_lines"
        async with aiohttp.request("POST", url, data=body, headers=headers) as answer:
            assert answer.status == 200
