"""Generate and retry, send one link: what starts work on a show's invoices."""

from typing import Final
from urllib.parse import urlencode

from litestar import Response, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.addresses import BaseUrl
from services.common.context import Identity
from services.common.status import RemoteError
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.invoices import Invoices
from services.gateway.dashboard.pages.plan import MOST_LEFT_OUT
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render, toast
from services.gateway.dashboard.views.rows import row_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.invoices import Channel, GenerateBody, SentView

_OUTDATED: Final = "PLAN_OUTDATED"
_LONGEST_TOTAL: Final = 19
_MOST_IN_A_HEADER: Final = 3_000
"""Characters: what stands before a gateway often takes 4 kB of headers in all, and answers an error beyond."""


@post("/shows/{show_id:str}/invoices/generate", status_code=200)
async def generate(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """Starts the run that the plan on the page stands for, and leads to its progress; or to the plan of now."""
    form = await request.form()
    body = _pressed(form)
    try:
        run = await invoices.generate(caller.identity, show_id, body, "")
    except RemoteError as error:
        if error.reason != _OUTDATED:
            raise
        ticks = {"changes": "1" if body.apply_changes else "", "emails": "1" if body.reissue_for_email else ""}
        out = body.except_buyer_ids
        kept = {"without": ",".join(out)} if len(out) <= MOST_LEFT_OUT else {"anew": "1"}
        send = "" if body.automatic_sending is None else str(int(body.automatic_sending))
        told = {"moved": "1", "send": send, "rows": str(form.get("rows", ""))[:3]} | ticks | kept
        query = urlencode({name: value for name, value in told.items() if value})
        return go(request, f"/shows/{show_id}/plan?{query}")
    return go(request, f"/shows/{show_id}?run={run.id}")


def _pressed(form: FormMultiDict) -> GenerateBody:
    """Buyers that were on the page and are not ticked are left out; the others of the plan are not on it, and meant."""
    ticked = set(form.getall("buyer", []))
    return GenerateBody(
        plan_hash=str(form.get("plan_hash", ""))[:200],
        except_buyer_ids=[str(buyer) for buyer in form.getall("shown", []) if buyer not in ticked],
        apply_changes=bool(form.get("changes")),
        reissue_for_email=bool(form.get("emails")),
        automatic_sending=bool(form.get("send")) if form.get("sending") else None,
    )


@post("/shows/{show_id:str}/buyers/{buyer_id:str}/generate", status_code=200)
async def generate_one(
    request: AnyRequest,
    show_id: FromPath[str],
    buyer_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """The invoice of one buyer who has none, as the plan would make it, over the sum that the row showed."""
    total = str((await request.form()).get("total", ""))
    seen = int(total) if total.isascii() and total.isdecimal() and len(total) < _LONGEST_TOTAL else None
    body = GenerateBody(buyer_ids=[buyer_id], expected_total=seen)
    run = await invoices.generate(caller.identity, show_id, body, "")
    return go(request, f"/shows/{show_id}?run={run.id}")


@post("/shows/{show_id:str}/invoices/retry", status_code=200)
async def retry_failed(
    request: AnyRequest,
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
) -> Response[bytes]:
    """Everything in status Error once more."""
    retried = await invoices.retry(caller.identity, show_id, [])
    run = f"?run={retried.generation.id}" if retried.generation else ""
    return go(request, f"/shows/{show_id}{run}")


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/retry", status_code=200)
async def retry_one(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """One invoice once more; answers its row."""
    await invoices.retry(caller.identity, show_id, [invoice_id])
    said = toast("ok", "Trying again")
    return await row_now(request, invoices, caller.identity, show_id, invoice_id, base_url, said)


@post("/shows/{show_id:str}/invoices/{invoice_id:str}/send", status_code=200)
async def send(
    request: AnyRequest,
    show_id: FromPath[str],
    invoice_id: FromPath[str],
    caller: NamedDependency[Principal],
    invoices: NamedDependency[Invoices],
    base_url: NamedDependency[BaseUrl],
) -> Response[bytes]:
    """Delivers the link by e-mail, or hands it over to be sent by hand; answers the row."""
    form = await request.form()
    channel: Channel = "email" if form.get("channel") == "email" else "manual"
    # A double click, or a repetition by the browser, is the same wish.
    request_id = request_id_of(str(form.get("request_id", ""))[:100], caller.identity, f"send {invoice_id}")
    sent = await invoices.send(caller.identity, show_id, invoice_id, channel, request_id)
    if channel == "manual" and not is_htmx(request):  # what our script would copy stands in the timeline
        return go(request, f"/shows/{show_id}/invoices/{invoice_id}")
    return await row_now(request, invoices, caller.identity, show_id, invoice_id, base_url, _said(sent))


def _said(sent: SentView) -> dict[str, str]:
    buyer = sent.invoice.handle or sent.invoice.display_name
    if sent.delivery.state == "failed":
        return toast("error", f"The link to {buyer} was not sent", sent.delivery.reason)
    if sent.delivery.state == "queued":
        return toast("ok", f"The link to {buyer} goes out in a while", f"{sent.delivery.reason} It is tried again.")
    if sent.delivery.channel == "manual":
        text = sent.delivery.message or sent.delivery.link
        copied = toast("ok", f"Message for {buyer} copied", "Paste it into your chat with the buyer.", copy=text)
        if all(len(value) <= _MOST_IN_A_HEADER for value in copied.values()):
            return copied
        return toast("ok", f"The link to {buyer} counts as sent", "Copy the message from the timeline of the invoice.")
    return toast("ok", f"Link sent to {sent.invoice.email}", sent.delivery.reason)


async def row_now(
    request: AnyRequest,
    invoices: Invoices,
    who: Identity,
    show_id: str,
    invoice_id: str,
    base_url: str,
    said: dict[str, str],
) -> Response[bytes]:
    """The invoice's row as it is now, for our script; a browser without it goes back to the list."""
    if not is_htmx(request):
        return go(request, f"/shows/{show_id}")
    invoice = await invoices.get(who, show_id, invoice_id)
    return render(request, "parts/row.html", {"row": row_of(invoice, base_url)}, headers=said)


HANDLERS: Final = [generate, generate_one, retry_failed, retry_one, send]
