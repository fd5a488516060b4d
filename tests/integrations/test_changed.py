"""What happened at Stripe, listed: the same events as the webhooks', whatever became of those."""

import json
import time

import pytest

from services.common.status import RemoteError
from services.integrations.adapters.stripe.api import StripeApi
from services.integrations.adapters.stripe.catchup import _invoice_of, _read, list_changed
from services.integrations.adapters.stripe.endpoints import EVENTS
from services.integrations.adapters.stripe.mapping import InvoiceMapper
from services.integrations.connection_values import Link
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop, event


async def paid(shop: Shop) -> pb.ProviderInvoice:
    """An invoice that its buyer paid, of which no webhook tells."""
    await shop.sandbox.lose_webhooks(shop.account.id)
    made = await shop.create(shop.order())
    await shop.sandbox.pay(made.external_id)
    return made


async def test_listed_event_is_the_verified_event(connected: Shop) -> None:
    await paid(connected)
    connection = await connected.connection()
    secret = await connected.webhook_secret(connection.id)
    listed = list((await connected.caller.list_changed(connected.who, connected.account.id)).events)
    assert {one.type for one in listed} == {pb.PROVIDER_EVENT_TYPE_FINALIZED, pb.PROVIDER_EVENT_TYPE_PAID}
    bodies = {one["id"]: one for one in await connected.sandbox.events(connected.account.id)}
    for one in listed:
        delivery = connected.delivery(connection.id, secret, json.dumps(bodies[one.event_id]).encode())
        (verdict,) = await connected.caller.verify(delivery)
        assert verdict.event == one


async def test_pages_together_are_the_whole_list(connected: Shop) -> None:
    for _ in range(3):
        await paid(connected)
    whole = await connected.caller.list_changed(connected.who, connected.account.id)
    token = ""
    found: list[pb.ProviderEvent] = []
    while True:
        page = await connected.caller.list_changed(connected.who, connected.account.id, size=2, token=token)
        found += page.events
        token = page.next_page_token
        if not token:
            break
    assert found == list(whole.events)
    assert len(found) == 6


async def test_only_what_happened_since_is_listed(connected: Shop) -> None:
    await paid(connected)
    tomorrow = int(time.time()) + 86_400
    assert not (await connected.caller.list_changed(connected.who, connected.account.id, since=tomorrow)).events


async def test_events_of_another_account_are_refused(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    with pytest.raises(RemoteError) as refused:
        await connected.caller.list_changed(connected.who, other.account.id)
    assert refused.value.reason == "ACCOUNT_CHANGED"


async def test_invoice_of_an_event_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its webhook may have been missed, so that nothing else says to look at it."""
    good = json.loads(event())
    garbled = {**good, "data": {"object": {"object": "invoice", "id": "in_2"}}}

    async def page(*_: object, **__: object) -> object:
        return {"data": [garbled, good, {"id": "evt_3"}], "has_more": True}

    api = StripeApi.__new__(StripeApi)
    monkeypatch.setattr(api, "call", page)
    mapper, link = InvoiceMapper("https://dashboard.example"), Link("w", "i", "acct_1", False, {})
    read = await list_changed(api, mapper, link, None, 3, "")
    assert [one.event_id for one in read.events] == [good["id"]]
    assert (read.unreadable, read.next_after) == (["in_2"], "evt_3")


@pytest.mark.parametrize("told", [None, {}, {"data": []}, {"data": {"object": {"object": "charge", "id": "ch_1"}}}])
def test_event_that_names_no_invoice_names_none(told: object) -> None:
    assert not _invoice_of(told)


def test_types_fit_into_one_question() -> None:
    assert len(EVENTS) <= 20


@pytest.mark.parametrize(
    "broken",
    [
        {"data": {"object": {"object": "invoice", "id": "in_1"}}},
        {"livemode": True},
        {"created": "yesterday", "data": None},
    ],
)
def test_listed_event_that_cannot_be_read_is_left_to_its_webhook(broken: dict[str, object]) -> None:
    """Were it noted in the inbox as telling nothing, its webhook would count as heard before."""
    mapper, link = InvoiceMapper("https://dashboard.example"), Link("w", "i", "acct_1", False, {})
    good = json.loads(event())
    assert _read(mapper, link, good) is not None
    assert _read(mapper, link, {**good, **broken}) is None
