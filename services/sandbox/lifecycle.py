"""The status of an invoice: which moves Stripe allows, what each changes, and its words for a refusal."""

from collections.abc import Callable

from services.sandbox import errors, events, ids
from services.sandbox.call import Call
from services.sandbox.objects import invoice as invoices
from services.sandbox.objects.customer import reserve_number
from services.sandbox.records import Customer, Invoice, Json, Mail

NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."
PAID_BY_PAYMENT = "Invoices with `paid` payments cannot be voided."
ALREADY_PAID = "Invoice is already paid"
ALREADY_FINAL = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
ALREADY_UNCOLLECTIBLE = "This invoice has already been marked uncollectible."
ONLY_DRAFTS_DELETED = "You can only delete draft invoices."
VOID_CANNOT_BE_PAID = "Invoice is void and can no longer be paid."
NO_PAYMENT_METHOD = (
    "There is no `default_payment_method` set on this Customer or Invoice. Please set one or pass a `payment_method`"
    " before you pay this invoice."
)
NOT_SENDABLE = "You can only manually send an invoice if its collection method is 'send_invoice'."
CANNOT_SEND = "You can't send an invoice that is {status}."
MISSING_EMAIL = (
    "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email."
)

_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
_AFTER_DUE = 30 * 86_400
_URL_LIFE = 120 * 86_400
_URL_FRESH = 10 * 86_400


def customer_of(call: Call, invoice: Invoice) -> Customer:
    return call.dataset.customers[invoice.body["customer"]]


def show(call: Call, invoice: Invoice) -> Json:
    shown = invoices.render(invoice, customer_of(call, invoice), call.dataset.account)
    if invoice.hosted_token:
        base, account = call.config.public_url, call.dataset.account.id
        shown["hosted_invoice_url"] = f"{base}/i/{account}/{invoice.hosted_token}?s=ap"
        shown["invoice_pdf"] = f"{base}/invoice/{account}/{invoice.hosted_token}/pdf?s=ap"
    return shown


def change(call: Call, invoice: Invoice, alter: Callable[[], None], *event_types: str) -> Json:
    """Applies a change and emits invoice.updated with what differs, then the named events."""
    before = events.snapshot(show(call, invoice))
    alter()
    after = show(call, invoice)
    call.store.save(call.dataset, invoice)
    previous = events.changed(before, after)
    if previous:
        events.emit(call, "invoice.updated", after, previous)
    for event_type in event_types:
        events.emit(call, event_type, after)
    return after


def finalize(call: Call, invoice: Invoice, *, auto_advance: bool | None = None) -> Json:
    """Draft to open; to paid at once when nothing is due."""
    if invoice.body["status"] != "draft":
        raise errors.refused(ALREADY_FINAL)
    settled = False

    def alter() -> None:
        nonlocal settled
        settled = _close_draft(call, invoice, auto_advance)

    shown = change(call, invoice, alter, "invoice.finalized")
    _replace_original(call, invoice)
    if settled:
        for event_type in ("invoice.paid", "invoice.payment_succeeded"):
            events.emit(call, event_type, shown)
    return shown


def _replace_original(call: Call, revision: Invoice) -> None:
    """A finalized revision makes the invoice that it was made of void, and that one then names it."""
    origin = revision.body["from_invoice"]
    original = call.dataset.invoices.get(origin["invoice"]) if origin else None
    if original is not None and original.body["status"] in ("open", "uncollectible"):
        original.body["latest_revision"] = revision.id
        void(call, original)


def _close_draft(call: Call, invoice: Invoice, auto_advance: bool | None) -> bool:
    body, customer, now = invoice.body, customer_of(call, invoice), call.now
    invoices.retotal(invoice, customer)
    due, carried = invoices.settlement(body["total"], body["starting_balance"], body["currency"])
    if auto_advance is not None:
        body["auto_advance"] = auto_advance
    body["number"] = invoice.number_reserved or reserve_number(customer)
    body["status"] = "open"
    body["ending_balance"] = carried
    body["effective_at"] = body["effective_at"] or now
    body["status_transitions"]["finalized_at"] = now
    body["automatically_finalizes_at"] = None
    body["next_payment_attempt"] = None
    if body["rendering"]["pdf"]["page_size"] == "auto":
        letter = body["account_country"] in _LETTER_COUNTRIES
        body["rendering"]["pdf"]["page_size"] = "letter" if letter else "a4"
    renew_url(call, invoice)
    _carry_balance(call, customer, invoice, carried)
    if due == 0:
        body["attempted"] = True
        settle(call, invoice, "balance")
    return due == 0


def _carry_balance(call: Call, customer: Customer, invoice: Invoice, carried: int) -> None:
    before = events.snapshot(customer.body)
    if carried != invoice.body["starting_balance"]:
        customer.body["currency"] = customer.body["currency"] or invoice.body["currency"]
        customer.body["balance"] = carried
        call.store.save(call.dataset, customer)
        events.emit(call, "customer.updated", customer.body, events.changed(before, customer.body))
    else:
        call.store.save(call.dataset, customer)


def settle(call: Call, invoice: Invoice, by: str) -> None:
    """Marks as paid. `by`: payment, out_of_band or balance."""
    body = invoice.body
    body["status"] = "paid"
    body["amount_paid"] = body["amount_due"]
    body["amount_remaining"] = 0
    body["auto_advance"] = False
    body["next_payment_attempt"] = None
    body["status_transitions"]["paid_at"] = call.now
    invoice.settled_by = by
    if by == "payment":
        body["attempted"] = True
        body["attempt_count"] += 1


def check_payable(invoice: Invoice) -> None:
    if invoice.body["status"] == "paid":
        raise errors.refused(ALREADY_PAID)
    if invoice.body["status"] == "void":
        raise errors.refused(VOID_CANNOT_BE_PAID)


def pay(call: Call, invoice: Invoice, by: str) -> Json:
    """Draft, open or uncollectible to paid."""
    check_payable(invoice)
    if invoice.body["status"] == "draft":
        shown = finalize(call, invoice)
        if invoice.body["status"] == "paid":
            return shown
    succeeded = ("invoice.payment_succeeded",) if by == "payment" else ()
    return change(call, invoice, lambda: settle(call, invoice, by), "invoice.paid", *succeeded)


def fail_payment(call: Call, invoice: Invoice) -> Json:
    """A card was declined on the hosted page: still open, one more attempt."""
    check_payable(invoice)

    def alter() -> None:
        invoice.body["attempted"] = True
        invoice.body["attempt_count"] += 1

    return change(call, invoice, alter, "invoice.payment_failed")


def void(call: Call, invoice: Invoice) -> Json:
    status = invoice.body["status"]
    if status == "paid" and invoice.settled_by == "payment":
        raise errors.refused(PAID_BY_PAYMENT)
    if status not in ("open", "uncollectible"):
        raise errors.refused(NOT_OPEN)

    def alter() -> None:
        invoice.body["status"] = "void"
        invoice.body["auto_advance"] = False
        invoice.body["status_transitions"]["voided_at"] = call.now

    shown = change(call, invoice, alter, "invoice.voided")
    _give_back_credit(call, invoice)
    return shown


def _give_back_credit(call: Call, invoice: Invoice) -> None:
    applied = invoice.body["ending_balance"] - invoice.body["starting_balance"]
    if not applied:
        return
    customer = customer_of(call, invoice)
    before = events.snapshot(customer.body)
    customer.body["balance"] -= applied
    call.store.save(call.dataset, customer)
    events.emit(call, "customer.updated", customer.body, events.changed(before, customer.body))


def mark_uncollectible(call: Call, invoice: Invoice) -> Json:
    if invoice.body["status"] == "uncollectible":
        raise errors.refused(ALREADY_UNCOLLECTIBLE)
    if invoice.body["status"] != "open":
        raise errors.refused(NOT_OPEN)

    def alter() -> None:
        invoice.body["status"] = "uncollectible"
        invoice.body["auto_advance"] = False
        invoice.body["status_transitions"]["marked_uncollectible_at"] = call.now

    return change(call, invoice, alter, "invoice.marked_uncollectible")


def send(call: Call, invoice: Invoice) -> Json:
    """Finalizes a draft, then sends. Like Stripe's test mode it mails nothing: the mailbox page shows the message."""
    if invoice.body["collection_method"] != "send_invoice":
        raise errors.refused(NOT_SENDABLE)
    if invoice.body["status"] in ("void", "uncollectible"):
        raise errors.refused(CANNOT_SEND.format(status=invoice.body["status"]))
    if not show(call, invoice)["customer_email"]:
        raise errors.refused(MISSING_EMAIL)
    shown = finalize(call, invoice) if invoice.body["status"] == "draft" else show(call, invoice)
    events.emit(call, "invoice.sent", shown)
    _put_in_mailbox(call, shown)
    return shown


def _put_in_mailbox(call: Call, shown: Json) -> None:
    dataset = call.dataset
    mail = Mail(
        id=ids.short_id("mail"),
        seq=dataset.next_seq(),
        invoice=shown["id"],
        account=dataset.account.id,
        livemode=dataset.livemode,
        to=shown["customer_email"],
        subject=f"New invoice from {dataset.account.name} #{shown['number']}",
        url=shown["hosted_invoice_url"],
        total=f"{shown['total']} {shown['currency']}",
        created=call.now,
    )
    call.store.save(dataset, mail)


def delete(call: Call, invoice: Invoice) -> Json:
    if invoice.body["status"] != "draft":
        raise errors.refused(ONLY_DRAFTS_DELETED)
    shown = show(call, invoice)
    call.store.forget_invoice(call.dataset, invoice)
    events.emit(call, "invoice.deleted", shown)
    return {"id": invoice.id, "object": "invoice", "deleted": True}


def renew_url(call: Call, invoice: Invoice) -> None:
    """A new address of the hosted page: 30 days after the due date, or after now, and 120 days at most."""
    body, now = invoice.body, call.now
    if invoice.hosted_token:
        invoice.spent_tokens.append(invoice.hosted_token)
    prefix = "live" if call.dataset.livemode else "test"
    invoice.hosted_token = f"{prefix}_{ids.token(48)}"
    last = max((body["due_date"] or now) + _AFTER_DUE, now + _URL_FRESH)
    invoice.hosted_expires_at = min(last, now + _URL_LIFE)
    call.dataset.index_invoice(invoice)


def keep_url_fresh(call: Call, invoice: Invoice) -> None:
    """A URL that was just read is good for ten days more."""
    if invoice.hosted_token and invoice.hosted_expires_at < call.now + _URL_FRESH:
        renew_url(call, invoice)
        call.store.save(call.dataset, invoice)
