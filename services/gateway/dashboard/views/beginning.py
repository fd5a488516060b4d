"""The way from an empty workspace to its first paid invoice."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.gateway.dashboard.views.panel import Connection
from services.gateway.schemas.browsing import ShowRow


@dataclass(frozen=True, slots=True)
class Step:
    """One of them; the first that is not done is the next."""

    key: str
    title: str
    text: str
    done: bool
    next: bool
    path: str = ""


def steps_of(rows: Sequence[ShowRow], connection: Connection) -> list[Step]:
    """None is left once something is paid."""
    if any(row.collected for row in rows):
        return []
    claimed = next((row for row in rows if row.show.buyer_count), None)
    invoiced = next((row for row in rows if row.invoice_count), None)
    best = invoiced or claimed
    home = f"/shows/{best.show.id}" if best else ""
    told = [
        ("show", "Have a show with claims", _SHOW, claimed is not None, ""),
        ("connect", "Connect Stripe", _CONNECT, connection.connected, "/integrations/stripe"),
        ("generate", "Generate its invoices", _GENERATE, invoiced is not None, home),
        ("pay", "See the first one paid", _PAY, False, home),
    ]
    first = next(key for key, _, _, done, _ in told if not done)
    return [Step(key, title, text, done, key == first, path) for key, title, text, done, path in told]


_SHOW = "Load the example, a real gift shop’s sale of 2,581 claims, or make one from your own files."
_CONNECT = (
    "With the keys of a Stripe account of yours, or of the sandbox that runs beside Showbill. Test keys charge nobody."
)
_GENERATE = "One invoice for each buyer. You look at the plan first, and nothing is sent by itself."
_PAY = (
    "Copy a buyer’s link, open it, and pay with Stripe’s test card 4242 4242 4242 4242. The row turns green by itself."
)
