"""The API's addresses: operation, method, path, the permission a restricted key needs, and what runs."""

from collections.abc import Callable
from typing import NamedTuple

from services.sandbox.call import Answer, Call
from services.sandbox.operations import account, customers, events_feed, invoice_lines, invoices, webhook_endpoints


class Route(NamedTuple):
    operation: str
    method: str
    path: str
    permission: str
    run: Callable[[Call], Answer]


def _invoice_moves() -> list[Route]:
    moves: list[tuple[str, Callable[[Call], Answer]]] = [
        ("add_lines", invoice_lines.add),
        ("update_lines", invoice_lines.update),
        ("remove_lines", invoice_lines.remove),
        ("finalize", invoices.finalize),
        ("send", invoices.send),
        ("pay", invoices.pay),
        ("void", invoices.void),
        ("mark_uncollectible", invoices.mark_uncollectible),
    ]
    return [
        Route(f"invoices.{name}", "POST", f"/v1/invoices/{{id}}/{name}", "rak_invoice_write", run)
        for name, run in moves
    ]


def _invoice_routes() -> list[Route]:
    read, write, path = "rak_invoice_read", "rak_invoice_write", "/v1/invoices/{id}"
    return [
        Route("invoices.create", "POST", "/v1/invoices", write, invoices.create),
        Route("invoices.list", "GET", "/v1/invoices", read, invoices.list_),
        Route("invoices.retrieve", "GET", path, read, invoices.retrieve),
        Route("invoices.update", "POST", path, write, invoices.update),
        Route("invoices.delete", "DELETE", path, write, invoices.delete),
        Route("invoices.lines.list", "GET", f"{path}/lines", read, invoice_lines.list_),
        Route("invoices.lines.update", "POST", f"{path}/lines/{{line}}", write, invoice_lines.update_one),
        *_invoice_moves(),
    ]


def _endpoint_routes() -> list[Route]:
    read, write, path = "rak_webhook_read", "rak_webhook_write", "/v1/webhook_endpoints"
    return [
        Route("webhook_endpoints.create", "POST", path, write, webhook_endpoints.create),
        Route("webhook_endpoints.list", "GET", path, read, webhook_endpoints.list_),
        Route("webhook_endpoints.retrieve", "GET", f"{path}/{{id}}", read, webhook_endpoints.retrieve),
        Route("webhook_endpoints.update", "POST", f"{path}/{{id}}", write, webhook_endpoints.update),
        Route("webhook_endpoints.delete", "DELETE", f"{path}/{{id}}", write, webhook_endpoints.delete),
    ]


ROUTES: tuple[Route, ...] = (
    Route("customers.create", "POST", "/v1/customers", "rak_customer_write", customers.create),
    Route("customers.list", "GET", "/v1/customers", "rak_customer_read", customers.list_),
    Route("customers.retrieve", "GET", "/v1/customers/{id}", "rak_customer_read", customers.retrieve),
    Route("customers.update", "POST", "/v1/customers/{id}", "rak_customer_write", customers.update),
    *_invoice_routes(),
    *_endpoint_routes(),
    Route("events.list", "GET", "/v1/events", "rak_event_read", events_feed.list_),
    Route("events.retrieve", "GET", "/v1/events/{id}", "rak_event_read", events_feed.retrieve),
    Route("balance.retrieve", "GET", "/v1/balance", "rak_balance_read", account.balance),
    Route("accounts.retrieve", "GET", "/v1/account", "rak_accounts_kyc_basic_read", account.retrieve),
)
