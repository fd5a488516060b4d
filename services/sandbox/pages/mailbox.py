"""The mailbox: what `send` would have mailed."""

from aiohttp import web

from services.sandbox.control.requests import sandbox_of
from services.sandbox.pages.render import page
from services.sandbox.records import Json, Mail
from services.sandbox.store import Dataset


async def show(request: web.Request) -> web.Response:
    store = sandbox_of(request).store
    sent = [(mail, dataset) for dataset in store.datasets.values() for mail in dataset.mails.values()]
    sent.sort(key=lambda pair: (pair[0].created, pair[0].seq), reverse=True)
    return page("mailbox.html", mails=[_shown(mail, dataset) for mail, dataset in sent])


def _shown(mail: Mail, dataset: Dataset) -> Json:
    """With the address of the hosted page as it is now: it changes when an old one expires."""
    invoice = dataset.invoices.get(mail.invoice)
    url = f"/i/{mail.account}/{invoice.hosted_token}" if invoice else mail.url
    return {"to": mail.to, "subject": mail.subject, "created": mail.created, "url": url}
