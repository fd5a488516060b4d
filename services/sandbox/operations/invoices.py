"""Invoices: create, retrieve, update, list, delete, and the moves of their status."""

from typing import Any, Final

from services.sandbox import errors, events, ids, lifecycle, lists, money
from services.sandbox.call import Answer, Call
from services.sandbox.objects import invoice as invoices
from services.sandbox.objects.endpoint import listens_to
from services.sandbox.operations import customers, revisions
from services.sandbox.operations.metadata import merged
from services.sandbox.records import Customer, Invoice, Json

_EDITABLE_ONCE_FINAL: Final = frozenset({"metadata", "auto_advance", "payment_settings", "expand"})
_LENGTHS: Final = {"description": 1500, "footer": 5000, "number": 26, "statement_descriptor": 22}
_MAX_CUSTOM_FIELDS: Final = 4
_AUTO_FINALIZE_AFTER: Final = 3600
_DAY: Final = 86_400

NEEDS_DUE_DATE: Final = (
    "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
)
NO_DUE_DATE: Final = (
    "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
)
NOT_EDITABLE: Final = "Finalized invoices can't be updated in this way"


def find(call: Call, param: str = "invoice") -> Invoice:
    """The invoice of the path. Which parameter a 404 names differs by operation, as recorded."""
    invoice_id = call.path["id"]
    found = call.dataset.invoices.get(invoice_id)
    if found is None:
        other = call.store.dataset(call.dataset.account.id, livemode=not call.dataset.livemode)
        mode = ("test" if call.dataset.livemode else "live") if invoice_id in other.invoices else None
        raise errors.no_such("invoice", invoice_id, param, other_mode=mode)
    return found


def create(call: Call) -> Answer:
    dataset, params = call.dataset, call.params
    if params.get("from_invoice"):
        return revisions.revise(call)
    if not params.get("customer"):
        raise errors.refused("Must provide customer or from_invoice.", "customer", "parameter_missing")
    customer = customers.find(call, params["customer"], "customer", status=400)
    _check(params)
    _check_due_date(params, params.get("collection_method", "charge_automatically"))
    if params.get("collection_method") == "send_invoice" and not customer.body["email"]:
        raise errors.refused(lifecycle.MISSING_EMAIL)
    body = invoices.new_body(
        ids.object_id("in", dataset.account.id, call.now),
        dataset.account,
        customer,
        call.now,
        livemode=dataset.livemode,
    )
    body["currency"] = _currency(call, customer)
    body["webhooks_delivered_at"] = None if _someone_waits(call) else call.now
    invoice = Invoice(id=body["id"], seq=dataset.next_seq(), body=body)
    _apply(call, invoice)
    _adopt_currency(call, customer, body["currency"])
    shown = lifecycle.show(call, invoice)
    call.store.save(dataset, invoice)
    events.emit(call, "invoice.created", shown)
    return shown


def retrieve(call: Call) -> Answer:
    invoice = find(call)
    lifecycle.keep_url_fresh(call, invoice)
    return lifecycle.show(call, invoice)


def update(call: Call) -> Answer:
    invoice, params = find(call, "id"), call.params
    if invoice.body["status"] != "draft":
        for name in params:
            if name not in _EDITABLE_ONCE_FINAL:
                raise errors.refused(NOT_EDITABLE, name)
    _check(params)
    method: str = params.get("collection_method") or invoice.body["collection_method"]
    if "collection_method" in params or "due_date" in params or "days_until_due" in params:
        _check_due_date({"due_date": invoice.body["due_date"], **params}, method)
    return lifecycle.change(call, invoice, lambda: _apply(call, invoice))


def list_(call: Call) -> Answer:
    params, dataset = call.params, call.dataset
    if "customer" in params:
        ordered = [dataset.invoices[one] for one in reversed(dataset.invoices_of.get(params["customer"], {}))]
    else:
        ordered = list(reversed(dataset.invoices.values()))
    chosen = (invoice for invoice in ordered if _matches(invoice, params))
    return lists.page(chosen, params, lambda one: _read(call, one), noun="invoice", url="/v1/invoices")


def _read(call: Call, invoice: Invoice) -> Json:
    lifecycle.keep_url_fresh(call, invoice)
    return lifecycle.show(call, invoice)


def delete(call: Call) -> Answer:
    return lifecycle.delete(call, find(call))


def finalize(call: Call) -> Answer:
    return lifecycle.finalize(call, find(call, "id"), auto_advance=call.params.get("auto_advance"))


def send(call: Call) -> Answer:
    return lifecycle.send(call, find(call))


def pay(call: Call) -> Answer:
    invoice = find(call, "id")
    if call.params.get("paid_out_of_band"):
        return lifecycle.pay(call, invoice, "out_of_band")
    lifecycle.check_payable(invoice)
    due = lifecycle.show(call, invoice)["amount_due"]
    if due and not call.params.get("forgive"):
        raise errors.refused(lifecycle.NO_PAYMENT_METHOD)
    return lifecycle.pay(call, invoice, "out_of_band" if due else "balance")


def void(call: Call) -> Answer:
    return lifecycle.void(call, find(call, "id"))


def mark_uncollectible(call: Call) -> Answer:
    return lifecycle.mark_uncollectible(call, find(call, "id"))


def _matches(invoice: Invoice, params: dict[str, Any]) -> bool:
    body = invoice.body
    return (
        all(name not in params or body[name] == params[name] for name in ("status", "collection_method"))
        and ("created" not in params or lists.in_range(body["created"], params["created"]))
        and ("due_date" not in params or lists.in_range(body["due_date"], params["due_date"]))
    )


def _check(params: dict[str, Any]) -> None:
    for name, longest in _LENGTHS.items():
        if len(params.get(name, "")) > longest:
            message = f"Invalid string: {params[name][:20]}...; must be at most {longest} characters"
            raise errors.refused(message, name, "parameter_invalid_string_long")
    fields = params.get("custom_fields") or []
    if len(fields) > _MAX_CUSTOM_FIELDS:
        raise errors.refused(f"You can only specify up to {_MAX_CUSTOM_FIELDS} custom fields.", "custom_fields")
    for index, field in enumerate(fields):
        for name, longest in (("name", 40), ("value", 140)):
            if len(field[name]) > longest:
                message = f"Invalid string: {field[name][:20]}...; must be at most {longest} characters"
                raise errors.refused(message, f"custom_fields[{index}][{name}]", "parameter_invalid_string_long")


def _check_due_date(params: dict[str, Any], method: str) -> None:
    due, days = params.get("due_date"), params.get("days_until_due")
    if method == "send_invoice" and due is None and days is None:
        raise errors.refused(NEEDS_DUE_DATE)
    if method != "send_invoice" and (params.get("due_date") is not None or days is not None):
        raise errors.refused(NO_DUE_DATE)
    if params.get("due_date") is not None and days is not None:
        raise errors.refused("You may only specify one of these parameters: due_date, days_until_due.")


def _currency(call: Call, customer: Customer) -> str:
    given = call.params.get("currency")
    if given:
        return money.checked_currency(given)
    return customer.body["currency"] or call.dataset.account.default_currency


def _adopt_currency(call: Call, customer: Customer, currency: str) -> None:
    """A customer without a currency takes that of the first invoice."""
    if customer.body["currency"] is None:
        customer.body["currency"] = currency
        call.store.save(call.dataset, customer)


def _someone_waits(call: Call) -> bool:
    return any(listens_to(endpoint, "invoice.created") for endpoint in call.dataset.endpoints.values())


def _apply(call: Call, invoice: Invoice) -> None:
    params, body = call.params, invoice.body
    for name in ("collection_method", "statement_descriptor", "description", "footer", "effective_at"):
        if name in params:
            body[name] = params[name] if params[name] != "" else None
    if "metadata" in params:
        body["metadata"] = merged(body["metadata"], params["metadata"])
    if "custom_fields" in params:
        body["custom_fields"] = params["custom_fields"] or None
    if "number" in params:
        invoice.number_reserved = body["number"] = params["number"] or None
    if body["collection_method"] != "send_invoice":
        body["due_date"] = None
    elif "days_until_due" in params:
        body["due_date"] = body["created"] + params["days_until_due"] * _DAY
    elif "due_date" in params:
        body["due_date"] = params["due_date"]
    _apply_nested(params, body)
    _apply_auto_advance(params, body)


def _apply_nested(params: dict[str, Any], body: Json) -> None:
    for name, part in (params.get("payment_settings") or {}).items():
        body["payment_settings"][name] = part or None
    rendering = params.get("rendering") or {}
    for name, part in rendering.items():
        body["rendering"][name] = {**body["rendering"]["pdf"], **part} if name == "pdf" else (part or None)


def _apply_auto_advance(params: dict[str, Any], body: Json) -> None:
    if "auto_advance" not in params and "automatically_finalizes_at" not in params:
        return
    body["auto_advance"] = params.get("auto_advance", True)
    if body["status"] != "draft":
        return
    at = params.get("automatically_finalizes_at") or body["created"] + _AUTO_FINALIZE_AFTER + 1
    body["automatically_finalizes_at"] = at if body["auto_advance"] else None
    charges = body["auto_advance"] and body["collection_method"] == "charge_automatically"
    body["next_payment_attempt"] = at - 1 if charges else None
