"""A workspace with its Stripe account in the sandbox, and the invoices that it wants."""

import json
import time
from typing import Any

import aiohttp
import asyncpg
import stripe
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.common.context import Identity
from services.common.ids import new_id
from services.integrations.connection_values import WEBHOOK_SECRET as FIELD
from services.integrations.keyring import KEY_BYTES, WrappedKey, parse_keyring
from services.integrations.sealing import open_sealed, seal
from services.integrations.vault import context
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.sandbox import Account, Sandbox
from tests.e2e.stack import Stack
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

    def __init__(self, stack: Stack, caller: Caller, sandbox: Sandbox, account: Account) -> None:
        self.stack = stack
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

    async def replace(self, secret: str = "", publishable: str = "") -> pb.ReplaceCredentialsResponse:
        keys = {
            "secret_key": secret or self.account.sk_test,
            "publishable_key": publishable or self.account.pk_test,
        }
        return await self.caller.replace(self.who, keys)

    async def connection(self) -> pb.Integration:
        return (await self.caller.get(self.who)).integration

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
            "attempt": 1,
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

    async def restricted_key(self, permissions: list[str]) -> str:
        path = f"/_sandbox/accounts/{self.account.id}/restricted_keys"
        return str((await self.sandbox.rest.call("POST", path, {"permissions": permissions}))["key"])

    async def endpoint(self) -> dict[str, Any]:
        """The account's one webhook endpoint in test mode, as Stripe shows it: without its secret."""
        (endpoint,) = await self.endpoints()
        return dict(endpoint)

    async def webhook_secret(self, integration_id: str) -> str:
        """The sealed secret of the connection's endpoint, opened with the installation's key."""
        connection = await asyncpg.connect(self.stack.databases["integrations"])
        sealed = await connection.fetchval(
            "SELECT ciphertext FROM credentials WHERE integration_id = $1 AND field = $2", integration_id, FIELD
        )
        key = await self._data_key(connection, integration_id)
        await connection.close()
        return open_sealed(key, sealed, context(self.who.workspace_id, integration_id, FIELD)).decode()

    async def put_field(self, integration_id: str, name: str, text: str) -> None:
        """Seals another text into a field that is there."""
        connection = await asyncpg.connect(self.stack.databases["integrations"])
        key = await self._data_key(connection, integration_id)
        sealed = seal(key, text.encode(), context(self.who.workspace_id, integration_id, name))
        done = await connection.execute(
            "UPDATE credentials SET ciphertext = $3 WHERE integration_id = $1 AND field = $2",
            *(integration_id, name, sealed),
        )
        assert done == "UPDATE 1"
        await connection.close()

    async def _data_key(self, connection: Any, integration_id: str) -> AESGCM:
        row = await connection.fetchrow("SELECT key_id, wrapped_key FROM integrations WHERE id = $1", integration_id)
        keyring = parse_keyring(f"test-1={self.stack.credential_key}")
        wrapped = WrappedKey(row["key_id"], row["wrapped_key"])
        inside = await keyring.unwrap(wrapped, context(self.who.workspace_id, integration_id))
        return AESGCM(inside[:KEY_BYTES])

    async def version(self) -> int:
        """How often keys or status of the connection were written."""
        rows = await asyncpg.connect(self.stack.databases["integrations"])
        version = await rows.fetchval(
            "SELECT version FROM integrations WHERE workspace_id = $1 AND status <> 'inactive'", self.who.workspace_id
        )
        await rows.close()
        return int(version)

    async def endpoints(self, *, livemode: bool = False) -> list[Any]:
        key = self.account.sk_live if livemode else self.account.sk_test
        return list((await self.stripe("GET", "/v1/webhook_endpoints", key=key))["data"])

    def delivery(
        self, integration_id: str, secret: str, body: bytes | None = None, *, age: int = 0
    ) -> pb.WebhookDelivery:
        """A webhook as Stripe would deliver it, signed `age` seconds ago."""
        body = body or event()
        signature = stripe.WebhookSignature.generate_signature_header(
            body.decode(), secret, timestamp=int(time.time()) - age
        )
        headers = {"stripe-signature": signature}
        return pb.WebhookDelivery(provider="stripe", integration_id=integration_id, body=body, headers=headers)

    async def edit_at_stripe(self, external_id: str, amount: int) -> None:
        """Adds a line to a draft, as the operator would in the dashboard."""
        body = {"lines[0][amount]": str(amount), "lines[0][description]": "Postage"}
        await self.stripe("POST", f"/v1/invoices/{external_id}/add_lines", body)

    async def stripe(self, method: str, path: str, body: dict[str, str] | None = None, *, key: str = "") -> Any:
        """A call to Stripe's API with the account's own key, past the service."""
        headers = {"Authorization": f"Bearer {key or self.account.sk_test}"}
        async with aiohttp.request(method, self.sandbox.rest.url + path, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


def event(**values: Any) -> bytes:
    """The body of a webhook, by default of a paid invoice in test mode."""
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "status": "paid",
        "total": 2499,
        "amount_paid": 2499,
        "currency": "gbp",
        "status_transitions": {"paid_at": 1_700_000_000, "finalized_at": 1_699_999_000},
    }
    fields = {"id": "evt_1", "object": "event", "type": "invoice.paid", "livemode": False, "created": 1_700_000_001}
    return json.dumps({**fields, "data": {"object": invoice}, **values}).encode()
