"""The desk: the queue of links to send by hand, one of them in hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.gateway.backends.desk import Queue, Unsent
from services.gateway.dashboard.views.chats import Chat, chat_of
from services.gateway.dashboard.views.rows import Row, row_of
from services.gateway.schemas.invoices import InvoiceRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """A buyer who has no link yet."""

    row: Row
    revision: int
    platform: str
    message: str
    link: str
    chat: Chat | None


@dataclass(frozen=True, slots=True)
class Reader:
    """A buyer who opened the link and did not pay."""

    row: Row
    invoice: InvoiceRow
    chat: Chat | None


@dataclass(frozen=True, slots=True)
class DeskView:
    """`current` is the one in hand: None when nobody waits, or when that one waits no more. Never another one instead,
    for whoever is about to press a key means the one that was shown."""

    waiting: Sequence[Waiting]
    current: Waiting | None
    place: int
    total: int
    previous: str
    next: str
    next_page: str
    readers: Sequence[Reader]


def desk_of(queue: Queue, opened: Sequence[InvoiceRow], at: str, held: Collection[str], base_url: str) -> DeskView:
    """`held` are those that were marked a moment ago and can still be taken back: they wait no more."""
    waiting = [_waiting(one, base_url) for one in queue.unsent if one.invoice.id not in held]
    ids = [one.row.id for one in waiting]
    gone = bool(at) and at not in ids
    place = ids.index(at) if at in ids else 0
    return DeskView(
        waiting=waiting,
        current=waiting[place] if waiting and not gone else None,
        place=place + 1,
        total=queue.total - sum(one.invoice.id in held for one in queue.unsent),
        previous=ids[place - 1] if place else "",
        next=ids[0] if gone and ids else ids[place + 1] if place + 1 < len(ids) else "",
        next_page=queue.next_page,
        readers=[Reader(row_of(one, base_url), one, _chat(one)) for one in opened],
    )


def _waiting(one: Unsent, base_url: str) -> Waiting:
    invoice = one.invoice
    row = row_of(invoice, base_url)
    return Waiting(row, invoice.revision, invoice.platform, one.message, one.link, _chat(invoice))


def _chat(invoice: InvoiceRow) -> Chat | None:
    return chat_of(invoice.platform, invoice.handle, invoice.platform_user_id)
