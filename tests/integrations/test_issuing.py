"""Making invoices: what is asked of Stripe, and what comes of it."""

from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop, line


async def test_invoice_is_open_payable_and_ours(connected: Shop) -> None:
    order = connected.order()
    made = await connected.create(order)
    assert made.status == pb.PROVIDER_INVOICE_STATUS_OPEN
    assert (made.total, made.currency, made.invoice_id, made.revision) == (2499, "GBP", order.invoice_id, 1)
    assert made.external_url
    assert made.number
    assert not made.emailed_by_provider
    assert made.provider_url.endswith(f"/dashboard/{connected.account.id}/test/invoices/{made.external_id}")
    assert [(one.description, one.amount) for one in made.lines] == [
        ("2 × 85123A WHITE HANGING HEART", 500),
        ("1 × 85123A LUNCH BAG", 1999),
    ]
