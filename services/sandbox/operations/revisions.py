"""An invoice edited after it was finalized: a draft made of it, which replaces it once it is finalized itself."""

from typing import Final

from services.sandbox import errors, events, ids, lifecycle
from services.sandbox.call import Answer, Call
from services.sandbox.objects import invoice as invoices
from services.sandbox.records import Invoice, Json

NOT_REVISABLE: Final = "You can only create a revision of an invoice that is open or uncollectible."
_COPIED: Final = (
    *("collection_method", "currency", "custom_fields", "description", "footer", "metadata", "payment_settings"),
    *("rendering", "statement_descriptor"),
)
_MONTH: Final = 30 * 86_400


def revise(call: Call) -> Answer:
    """The draft, with the lines of the original and most of its fields."""
    dataset, given = call.dataset, call.params["from_invoice"]
    original = dataset.invoices.get(given["invoice"])
    if original is None:
        raise errors.no_such("invoice", given["invoice"], "from_invoice[invoice]", status=400)
    if original.body["status"] not in ("open", "uncollectible"):
        raise errors.refused(NOT_REVISABLE, "from_invoice")
    customer = lifecycle.customer_of(call, original)
    invoice_id = ids.object_id("in", dataset.account.id, call.now)
    body = invoices.new_body(invoice_id, dataset.account, customer, call.now, livemode=dataset.livemode)
    body |= {name: original.body[name] for name in _COPIED}
    body["from_invoice"] = {"action": given["action"], "invoice": original.id}
    if body["collection_method"] == "send_invoice":
        body["due_date"] = max(original.body["due_date"] or 0, call.now + _MONTH)
    lines = [_copied(call, line, invoice_id) for line in original.lines]
    revision = Invoice(id=invoice_id, seq=dataset.next_seq(), body=body, lines=lines)
    shown = lifecycle.show(call, revision)
    call.store.save(dataset, revision)
    events.emit(call, "invoice.created", shown)
    return shown


def _copied(call: Call, line: Json, invoice_id: str) -> Json:
    return {**line, "id": ids.object_id("il", call.dataset.account.id, call.now), "invoice": invoice_id}
