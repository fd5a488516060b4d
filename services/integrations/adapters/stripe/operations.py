"""The operations of Stripe's API that we use: each has its own rate limit, and a permission that a key may lack."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint of the API, whatever the id in its path."""

    name: str
    method: Literal["get", "post", "delete"]
    path: str
    permission: str
    """The resource as the editor of a restricted key lists it."""
    level: Literal["Read", "Write"]
    deed: str
    """Completes `This key can’t …`."""

    @property
    def tick(self) -> str:
        return f"{self.permission}: {self.level}"

    @property
    def answer(self) -> str:
        """The name of the object that answers it."""
        *kind, deed = self.name.split(".")
        return "list" if deed == "list" else kind[0].removesuffix("s")

    def url(self, object_id: str) -> str:
        return self.path.format(id=quote(object_id, safe=""))


def _invoice(name: str, method: Literal["get", "post", "delete"], path: str, deed: str) -> Operation:
    return Operation(f"invoices.{name}", method, f"/v1/invoices{path}", "Invoices", "Write", deed)


def _customer(name: str, method: Literal["get", "post"], path: str, deed: str) -> Operation:
    return Operation(f"customers.{name}", method, f"/v1/customers{path}", "Customers", "Write", deed)


def _endpoint(name: str, method: Literal["get", "post", "delete"], path: str, deed: str) -> Operation:
    path = f"/v1/webhook_endpoints{path}"
    return Operation(f"webhook_endpoints.{name}", method, path, "Webhook Endpoints", "Write", deed)


READ_BALANCE: Final = Operation("balance.retrieve", "get", "/v1/balance", "Balance", "Read", "be checked")
READ_ACCOUNT: Final = Operation("accounts.retrieve", "get", "/v1/account", "Accounts", "Read", "read the account")
LIST_EVENTS: Final = Operation("events.list", "get", "/v1/events", "Events", "Read", "read events")
CREATE_CUSTOMER: Final = _customer("create", "post", "", "create customers")
READ_CUSTOMER: Final = _customer("retrieve", "get", "/{id}", "read customers")
UPDATE_CUSTOMER: Final = _customer("update", "post", "/{id}", "change customers")
LIST_CUSTOMERS: Final = _customer("list", "get", "", "read customers")
CREATE_INVOICE: Final = _invoice("create", "post", "", "create invoices")
ADD_LINES: Final = _invoice("add_lines", "post", "/{id}/add_lines", "create invoices")
REMOVE_LINES: Final = _invoice("remove_lines", "post", "/{id}/remove_lines", "change drafts")
LIST_LINES: Final = _invoice("lines.list", "get", "/{id}/lines", "read invoices")
FINALIZE_INVOICE: Final = _invoice("finalize", "post", "/{id}/finalize", "finalize invoices")
PAY_INVOICE: Final = _invoice("pay", "post", "/{id}/pay", "mark invoices as paid")
SEND_INVOICE: Final = _invoice("send", "post", "/{id}/send", "send invoices")
VOID_INVOICE: Final = _invoice("void", "post", "/{id}/void", "void invoices")
DELETE_INVOICE: Final = _invoice("delete", "delete", "/{id}", "delete drafts")
READ_INVOICE: Final = _invoice("retrieve", "get", "/{id}", "read invoices")
LIST_INVOICES: Final = _invoice("list", "get", "", "read invoices")
CREATE_ENDPOINT: Final = _endpoint("create", "post", "", "create webhook endpoints")
READ_ENDPOINT: Final = _endpoint("retrieve", "get", "/{id}", "read webhook endpoints")
LIST_ENDPOINTS: Final = _endpoint("list", "get", "", "read webhook endpoints")
DELETE_ENDPOINT: Final = _endpoint("delete", "delete", "/{id}", "delete webhook endpoints")
