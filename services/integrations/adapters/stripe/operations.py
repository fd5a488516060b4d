"""The operations of Stripe's API that we use: each has its own rate limit, and a permission that a key may lack."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint of the API, whatever the id in its path."""

    name: str
    permission: str
    """The resource as the editor of a restricted key lists it."""
    level: str
    """Read or Write."""
    deed: str
    """Completes `This key can’t …`."""

    @property
    def tick(self) -> str:
        return f"{self.permission}: {self.level}"


_INVOICES: Final = ("Invoices", "Write")

READ_BALANCE: Final = Operation("balance.retrieve", "Balance", "Read", "be checked")
READ_ACCOUNT: Final = Operation("account.retrieve", "Accounts", "Read", "read the account")
CREATE_CUSTOMER: Final = Operation("customers.create", "Customers", "Write", "create customers")
UPDATE_CUSTOMER: Final = Operation("customers.update", "Customers", "Write", "change customers")
LIST_CUSTOMERS: Final = Operation("customers.list", "Customers", "Write", "read customers")
CREATE_INVOICE: Final = Operation("invoices.create", *_INVOICES, "create invoices")
ADD_LINES: Final = Operation("invoices.add_lines", *_INVOICES, "create invoices")
FINALIZE_INVOICE: Final = Operation("invoices.finalize", *_INVOICES, "finalize invoices")
SEND_INVOICE: Final = Operation("invoices.send", *_INVOICES, "send invoices")
VOID_INVOICE: Final = Operation("invoices.void", *_INVOICES, "void invoices")
DELETE_INVOICE: Final = Operation("invoices.delete", *_INVOICES, "delete drafts")
READ_INVOICE: Final = Operation("invoices.retrieve", *_INVOICES, "read invoices")
LIST_INVOICES: Final = Operation("invoices.list", *_INVOICES, "read invoices")
LIST_EVENTS: Final = Operation("events.list", "Events", "Read", "read events")
CREATE_ENDPOINT: Final = Operation("webhook_endpoints.create", "Webhook Endpoints", "Write", "create webhook endpoints")
READ_ENDPOINT: Final = Operation("webhook_endpoints.retrieve", "Webhook Endpoints", "Write", "read webhook endpoints")
LIST_ENDPOINTS: Final = Operation("webhook_endpoints.list", "Webhook Endpoints", "Write", "read webhook endpoints")
DELETE_ENDPOINT: Final = Operation("webhook_endpoints.delete", "Webhook Endpoints", "Write", "delete webhook endpoints")
