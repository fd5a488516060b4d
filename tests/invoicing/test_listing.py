"""The list of a show's invoices: filtered, searched, sorted, in pages, with counts."""

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller, winner
from tests.invoicing.events_seen import event, paid_event

PEOPLE = (("Ännä", "", 3), ("zoe", "Maya Lin", 1), ("@MAYA_k", "", 2), ("bob", "", 2), ("bob%", "", 5))
"""Handle, display name, and items won of ten pence each."""


@pytest.fixture
async def show_id(caller: Caller) -> str:
    """Zoe paid, Bob's payment failed, the others can be paid."""
    show = await caller.create_show("Listed")
    await caller.items(show.id, [pb.Item(item_number=str(n), title=f"Item {n}", price=1000) for n in range(5)])
    await caller.ingest(
        show.id,
        [
            winner(item, claim_id=f"{handle}-{item}", platform_user_id=handle, user_handle=handle, display_name=name)
            for handle, name, count in PEOPLE
            for item in range(count)
        ],
    )
    await caller.generate(show.id)
    by_handle = {one.handle: one for one in await caller.listed(show.id)}
    await caller.apply(
        paid_event(caller, by_handle["zoe"]),
        event(caller, pb.PROVIDER_EVENT_TYPE_PAYMENT_FAILED, by_handle["bob"]),
    )
    return show.id


async def page(caller: Caller, show_id: str, **fields: object) -> pb.ListInvoicesResponse:
    request = pb.ListInvoicesRequest(show_id=show_id, **fields)  # type: ignore[arg-type]  # fields of it, by name
    return await caller.client.call(caller.invoices.ListInvoices, request, caller.who)


async def in_pages(caller: Caller, show_id: str, size: int, **fields: object) -> list[str]:
    """The handles of all pages."""
    handles: list[str] = []
    token = ""
    while True:
        answer = await page(caller, show_id, page_size=size, page_token=token, **fields)
        assert len(answer.invoices) <= size
        handles += [one.handle for one in answer.invoices]
        token = answer.next_page_token
        if not token:
            return handles


ORDERS = {
    "": ["@MAYA_k", "bob", "bob%", "zoe", "Ännä"],
    "handle": ["@MAYA_k", "bob", "bob%", "zoe", "Ännä"],
    "total": ["zoe", "@MAYA_k", "bob", "Ännä", "bob%"],
    "line_count": ["zoe", "@MAYA_k", "bob", "Ännä", "bob%"],
}


async def test_orders_are_whole_in_pages_of_any_size(caller: Caller, show_id: str) -> None:
    for size in (1, 2, 5, 100):
        orders = {order_by: await in_pages(caller, show_id, size, order_by=order_by) for order_by in ORDERS}
        assert orders == ORDERS


async def test_list_tells_of_an_invoice_what_is_told_of_it_alone(caller: Caller, show_id: str) -> None:
    for listed in await caller.listed(show_id):
        alone = await caller.invoice(listed)
        alone.ClearField("lines")
        assert listed == alone


async def test_orders_turn_round(caller: Caller, show_id: str) -> None:
    for size in (2, 100):
        assert await in_pages(caller, show_id, size, order_by="handle desc") == ORDERS["handle"][::-1]
        downwards = await in_pages(caller, show_id, size, order_by="total desc")
        assert [downwards[0], downwards[-1]] == ["bob%", "zoe"]


async def test_order_by_status_puts_first_what_needs_attention(caller: Caller, show_id: str) -> None:
    for size in (1, 100):
        ordered = await in_pages(caller, show_id, size, order_by="status")
        assert (ordered[0], ordered[-1], len(ordered)) == ("bob", "zoe", 5)


async def test_order_by_change_is_the_order_of_changes(caller: Caller, show_id: str) -> None:
    answer = await page(caller, show_id, order_by="update_time desc")
    times = [one.update_time.ToNanoseconds() for one in answer.invoices]
    assert times == sorted(times, reverse=True)
    assert await in_pages(caller, show_id, 2, order_by="update_time desc") == [one.handle for one in answer.invoices]


FOUND = {
    "maya": ["@MAYA_k", "zoe"],
    "  MAYA ": ["@MAYA_k", "zoe"],
    "ÄNN": ["Ännä"],
    "bob%": ["bob%"],
    "_": ["@MAYA_k"],
    "nobody": [],
}


async def test_search_looks_at_handles_and_names(caller: Caller, show_id: str) -> None:
    for order_by in ("", "handle"):
        found = {query: await in_pages(caller, show_id, 1, query=query, order_by=order_by) for query in FOUND}
        assert {query: sorted(handles) for query, handles in found.items()} == FOUND


async def test_search_looks_at_numbers(caller: Caller, show_id: str) -> None:
    numbers = {one.number: one.handle for one in await caller.listed(show_id)}
    for number, handle in numbers.items():
        assert await in_pages(caller, show_id, 1, query=number.upper()) == [handle]


async def test_search_looks_at_addresses_and_labels_of_now(caller: Caller, show_id: str) -> None:
    (bob,) = [buyer for buyer in await caller.buyers(show_id) if buyer.handle == "bob"]
    bob.email = "robert@example.com"
    await caller.update_buyer(bob, "email")
    assert await in_pages(caller, show_id, 1, query="ROBERT@") == ["bob"]


async def test_counts_are_by_status_of_all_that_is_found(caller: Caller, show_id: str) -> None:
    answer = await page(caller, show_id, page_size=1, statuses=[pb.INVOICE_STATUS_DRAFT])
    counts = {one.status: one.count for one in answer.status_counts}
    assert counts == {
        pb.INVOICE_STATUS_DRAFT: 3,
        pb.INVOICE_STATUS_PAID: 1,
        pb.INVOICE_STATUS_PAYMENT_FAILED: 1,
    }
    assert answer.total_size == 3
    found = await page(caller, show_id, query="maya", statuses=[pb.INVOICE_STATUS_PAID], order_by="handle")
    assert {one.status: one.count for one in found.status_counts} == {
        pb.INVOICE_STATUS_DRAFT: 1,
        pb.INVOICE_STATUS_PAID: 1,
    }
    assert ([one.handle for one in found.invoices], found.total_size) == (["zoe"], 1)


async def test_page_tokens_are_of_one_order(caller: Caller, show_id: str) -> None:
    tokens = {
        order_by: (await page(caller, show_id, page_size=1, order_by=order_by)).next_page_token
        for order_by in ("", "handle", "handle desc", "total", "total desc")
    }
    for made, token in tokens.items():
        for order_by in tokens:
            if order_by == made:
                await page(caller, show_id, page_token=token, order_by=order_by)
                continue
            with pytest.raises(RemoteError) as caught:
                await page(caller, show_id, page_token=token, order_by=order_by)
            assert caught.value.kind is Kind.INVALID


async def test_unknown_orders_are_refused(caller: Caller, show_id: str) -> None:
    for order_by in ("colour", "handle down", "desc", "handle, total", "total desc desc"):
        with pytest.raises(RemoteError, match="handle, total, status") as caught:
            await page(caller, show_id, order_by=order_by)
        assert caught.value.kind is Kind.INVALID


async def test_counts_are_those_of_the_position_that_they_come_with(caller: Caller, show_id: str) -> None:
    before = await page(caller, show_id, page_size=1)
    assert (await page(caller, show_id, page_size=1)).status_counts == before.status_counts
    (paid,) = await caller.listed(show_id, pb.INVOICE_STATUS_PAYMENT_FAILED)
    await caller.apply(paid_event(caller, paid))
    after = await page(caller, show_id, page_size=1)
    assert after.seq > before.seq
    assert {one.status: one.count for one in after.status_counts} == {
        pb.INVOICE_STATUS_DRAFT: 3,
        pb.INVOICE_STATUS_PAID: 2,
    }


async def test_named_invoices_come_on_one_page_with_the_counts_of_all(caller: Caller, show_id: str) -> None:
    other = await caller.create_show("Other")
    await caller.items(other.id, [pb.Item(item_number="0", title="Item", price=1000)])
    await caller.ingest(other.id, [winner(0, claim_id="o", platform_user_id="o", user_handle="o")])
    await caller.generate(other.id)
    (strange,) = await caller.listed(other.id)
    rows = {one.handle: one.id for one in await caller.listed(show_id)}
    ids = [rows["zoe"], strange.id, rows["bob"]]
    named = await page(caller, show_id, invoice_ids=ids, page_size=1)
    assert {one.handle for one in named.invoices} == {"zoe", "bob"}
    assert named.next_page_token == ""
    assert sum(one.count for one in named.status_counts) == len(PEOPLE)
    with pytest.raises(RemoteError) as refused:
        await page(caller, show_id, invoice_ids=["none"])
    assert refused.value.kind is Kind.INVALID
