"""What we send to Stripe, made from an order without looking at clock or chance: a retry sends the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Final

from stripe.params import InvoiceAddLinesParams, InvoiceAddLinesParamsLine, InvoiceCreateParams

from services.integrations.adapters.stripe.amounts import to_stripe
from services.integrations.adapters.stripe.limits import LONGEST_FOOTER, LONGEST_MEMO, MOST_LINES
from services.integrations.connection_values import Link
from services.integrations.invoice_values import Buyer, InvoiceOrder, Line

INVOICE: Final = "showbill_invoice"
REVISION: Final = "showbill_revision"
EDIT: Final = "showbill_edit"
WORKSPACE: Final = "showbill_workspace"
CUSTOMER: Final = "showbill_customer"
INTEGRATION: Final = "showbill_integration"
ATTEMPT: Final = "showbill_attempt"

_LONGEST_NAME: Final = 256
LONGEST_EMAIL: Final = 512
_LONGEST_DESCRIPTION: Final = 5000
_LONGEST_METADATA: Final = 500


def customer_parameters(link: Link, buyer: Buyer) -> dict[str, object]:
    """A buyer as a customer. The mark that finds it again is added by `marked`."""
    name = buyer.display_name or buyer.handle or buyer.platform_user_id
    parameters: dict[str, object] = {
        "name": name[:_LONGEST_NAME],
        "description": f"{buyer.handle or name} on {buyer.platform}"[:_LONGEST_NAME],
        "metadata": {
            WORKSPACE: link.workspace_id,
            "platform": buyer.platform[:_LONGEST_METADATA],
            "platform_user_id": buyer.platform_user_id[:_LONGEST_METADATA],
        },
    }
    if buyer.email:
        parameters["email"] = buyer.email[:LONGEST_EMAIL]
    return parameters


def marked(parameters: Mapping[str, object], record_id: str) -> dict[str, object]:
    """The same with the id of our record in the metadata."""
    metadata = parameters["metadata"]
    assert isinstance(metadata, dict)
    return {**parameters, "metadata": {**metadata, CUSTOMER: record_id}}


def invoice_parameters(link: Link, order: InvoiceOrder, customer_id: str) -> InvoiceCreateParams:
    """An empty draft. Without an e-mail nothing can be mailed, but the invoice is payable at its hosted page."""
    parameters: InvoiceCreateParams = {
        "customer": customer_id,
        "currency": order.currency.lower(),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {INVOICE: order.invoice_id, REVISION: str(order.revision), WORKSPACE: link.workspace_id},
    }
    if order.buyer.email:
        parameters["collection_method"] = "send_invoice"
        parameters["days_until_due"] = order.days_until_due
    else:
        parameters["collection_method"] = "charge_automatically"
    if order.memo:
        parameters["description"] = order.memo[:LONGEST_MEMO]
    if order.footer:
        parameters["footer"] = order.footer[:LONGEST_FOOTER]
    return parameters


def lines_parameters(lines: Sequence[Line], currency: str) -> InvoiceAddLinesParams:
    """All lines for one call. What Stripe has no room for becomes one line at the end."""
    if len(lines) <= MOST_LINES:
        return {"lines": [_line(line, currency) for line in lines]}
    shown, rest = lines[: MOST_LINES - 1], lines[MOST_LINES - 1 :]
    return {"lines": [*(_line(line, currency) for line in shown), _rest(rest, currency)]}


def _line(line: Line, currency: str) -> InvoiceAddLinesParamsLine:
    name = " ".join(part for part in (line.item_number, line.title) if part)
    unpriced = " (no price yet)" if line.unit_price is None else ""
    metadata = {"quantity": str(line.quantity), "item_number": line.item_number[:_LONGEST_METADATA]}
    if line.unit_price is not None:
        metadata["unit_price"] = str(line.unit_price)
    return {
        "amount": to_stripe(line.amount, currency),
        "description": f"{line.quantity} × {name}"[: _LONGEST_DESCRIPTION - len(unpriced)] + unpriced,
        "metadata": metadata,
    }


def _rest(lines: Sequence[Line], currency: str) -> InvoiceAddLinesParamsLine:
    unpriced = sum(line.unit_price is None for line in lines)
    return {
        "amount": to_stripe(sum(line.amount for line in lines), currency),
        "description": f"{len(lines)} further items" + (f" ({unpriced} with no price yet)" if unpriced else ""),
        "metadata": {"quantity": str(sum(line.quantity for line in lines)), "items": str(len(lines))},
    }
