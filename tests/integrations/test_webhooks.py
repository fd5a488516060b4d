"""Webhook deliveries: whose, genuine or not, and what they say."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiohttp import web

from services.common.bus import Bus
from services.common.db import open_pool
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.common.status import RemoteError
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.keyring import parse_keyring
from services.integrations.opening import Opener
from services.integrations.registry import Registry
from services.integrations.repository import Repository
from services.integrations.vault import Vault
from services.integrations.webhooks import Delivery, Outcome, Verifying
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack, running_stack
from tests.fakes.book import MemoryBook
from tests.fakes.pace import NoPace
from tests.integrations.caller import Caller
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop, event
from tests.waiting import eventually

VERIFIED = pb.WEBHOOK_OUTCOME_VERIFIED


class Mailbox:
    """Stands where the gateway would: keeps what Stripe delivers, raw."""

    def __init__(self) -> None:
        self.deliveries: list[pb.WebhookDelivery] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = {"stripe-signature": request.headers["Stripe-Signature"]}
        body, integration_id = await request.read(), request.match_info["id"]
        self.deliveries.append(
            pb.WebhookDelivery(provider="stripe", integration_id=integration_id, body=body, headers=headers)
        )
        return web.Response()

    async def of_type(self, integration_id: str, name: str) -> pb.WebhookDelivery:
        async def found() -> pb.WebhookDelivery | None:
            mine = (one for one in self.deliveries if one.integration_id == integration_id)
            return next((one for one in mine if json.loads(one.body)["type"] == name), None)

        delivery = await eventually(found)
        assert delivery is not None
        return delivery


@pytest.fixture
async def mailbox(stack: Stack) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    app = web.Application()
    app.router.add_post("/api/webhooks/stripe/{id}", mailbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", stack.port("gateway")).start()
    yield mailbox
    await runner.cleanup()


async def identity_of(shop: Shop) -> tuple[str, str]:
    """The connection's id and the secret of its endpoint."""
    integration_id = (await shop.caller.get(shop.who)).integration.id
    return integration_id, await shop.webhook_secret(integration_id)


async def judge(shop: Shop, delivery: pb.WebhookDelivery) -> pb.WebhookVerdict:
    (verdict,) = await shop.caller.verify(delivery)
    return verdict


async def test_payment_delivered_by_stripe_is_verified(connected: Shop, mailbox: Mailbox) -> None:
    integration_id, _ = await identity_of(connected)
    order = connected.order()
    made = await connected.create(order)
    await connected.sandbox.pay(made.external_id)
    verdict = await judge(connected, await mailbox.of_type(integration_id, "invoice.paid"))
    assert verdict.outcome == VERIFIED
    found = verdict.event
    assert (found.type, found.provider_type) == (pb.PROVIDER_EVENT_TYPE_PAID, "invoice.paid")
    assert (found.workspace_id, found.integration_id) == (connected.who.workspace_id, integration_id)
    assert (found.account_id, found.livemode) == (connected.account.id, False)
    assert (found.invoice.external_id, found.invoice.invoice_id) == (made.external_id, order.invoice_id)
    assert (found.invoice.status, found.invoice.amount_paid) == (pb.PROVIDER_INVOICE_STATUS_PAID, order.total)
    assert found.invoice.HasField("paid_time")


async def test_last_event_is_noted(connected: Shop) -> None:
    integration_id, secret = await identity_of(connected)
    assert not (await connected.caller.get(connected.who)).integration.HasField("last_event_time")
    await judge(connected, connected.delivery(integration_id, secret))
    assert (await connected.caller.get(connected.who)).integration.HasField("last_event_time")


async def test_wrong_secret_is_a_bad_signature(connected: Shop) -> None:
    integration_id, _ = await identity_of(connected)
    verdict = await judge(connected, connected.delivery(integration_id, "whsec_guessed"))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE
    assert not verdict.HasField("event")


async def test_changed_body_is_a_bad_signature(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    delivery.body = event(id="evt_2")
    assert (await judge(connected, delivery)).outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE


async def test_missing_signature_is_a_bad_signature(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    delivery.headers.clear()
    assert (await judge(connected, delivery)).outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE


async def test_old_signature_is_a_bad_signature(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected), age=301)
    assert (await judge(connected, delivery)).outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE


async def test_signature_of_five_minutes_is_young_enough(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected), age=290)
    assert (await judge(connected, delivery)).outcome == VERIFIED


async def test_second_signature_counts_during_a_roll(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    moment, _, genuine = delivery.headers["stripe-signature"].partition(",")
    delivery.headers["stripe-signature"] = f"{moment},v1={'0' * 64},{genuine}"
    assert (await judge(connected, delivery)).outcome == VERIFIED


@pytest.mark.parametrize(
    "body",
    [b"not json", b"[]", b"{}", event(object="v2.core.event"), event(data=None), event(livemode=True), b"1", b'"x"'],
)
async def test_signed_nonsense_is_malformed(connected: Shop, body: bytes) -> None:
    verdict = await judge(connected, connected.delivery(*await identity_of(connected), body))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_MALFORMED
    assert verdict.reason
    assert not verdict.HasField("event")


async def test_body_that_is_no_text_is_a_bad_signature(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    delivery.body = b"\xff\xfe"
    assert (await judge(connected, delivery)).outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE


async def test_unknown_type_is_recorded_only(connected: Shop) -> None:
    body = event(type="charge.refunded", data={"object": {"id": "ch_1", "object": "charge"}})
    verdict = await judge(connected, connected.delivery(*await identity_of(connected), body))
    assert (verdict.outcome, verdict.event.type) == (VERIFIED, pb.PROVIDER_EVENT_TYPE_OTHER)
    assert not verdict.event.HasField("invoice")


async def test_event_of_another_account_moves_nothing(connected: Shop) -> None:
    body = event(account="acct_somebody_else")
    verdict = await judge(connected, connected.delivery(*await identity_of(connected), body))
    assert verdict.event.type == pb.PROVIDER_EVENT_TYPE_OTHER
    assert not verdict.event.HasField("invoice")


@pytest.mark.parametrize("integration_id", ["019a2b3c-0000-7000-8000-000000000000", "no-uuid", ""])
async def test_address_of_nobody_is_unknown(connected: Shop, integration_id: str) -> None:
    verdict = await judge(connected, connected.delivery(integration_id, "whsec_any"))
    assert verdict.outcome == pb.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION


async def test_ended_connection_is_gone(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    assert (await judge(connected, delivery)).outcome == VERIFIED
    await connected.caller.disconnect(connected.who)
    assert (await judge(connected, delivery)).outcome == pb.WEBHOOK_OUTCOME_GONE


async def test_secrets_of_an_ended_connection_are_forgotten(connected: Shop, stack: Stack) -> None:
    pool = await open_pool(Secret(stack.databases["integrations"]), "tests", largest=2)
    vault = Vault(parse_keyring(f"test-1={stack.credential_key}"))
    opener = Opener(Repository(pool, Outbox(pool, Bus(Secret("nats://127.0.0.1:1"), "tests"))), vault)
    adapter = StripeAdapter(stack.url("sandbox"), stack.url("sandbox"), NoPace(), MemoryBook())
    verifying = Verifying(pool, vault, opener, Registry([adapter]), [])
    sent = connected.delivery(*await identity_of(connected))
    delivery = Delivery("stripe", sent.integration_id, sent.body, dict(sent.headers))
    assert [one.outcome for one in await verifying.verify([delivery])] == [Outcome.VERIFIED]
    assert sent.integration_id in verifying._opened
    await connected.caller.disconnect(connected.who)
    assert [one.outcome for one in await verifying.verify([delivery])] == [Outcome.GONE]
    assert verifying._opened == {}
    await adapter.close()
    await pool.close()


async def test_note_that_cannot_be_written_costs_no_verdict(connected: Shop, stack: Stack) -> None:
    """The time of the last event tells the operator something; the payment must be applied."""
    delivery = connected.delivery(*await identity_of(connected))
    other = await asyncpg.connect(stack.databases["integrations"])
    async with other.transaction():
        await other.execute("LOCK TABLE integrations IN SHARE MODE")
        assert (await judge(connected, delivery)).outcome == VERIFIED
    await other.close()


async def test_secret_of_one_workspace_signs_for_no_other(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    await other.connect()
    (_, theirs), (ours, _) = await identity_of(other), await identity_of(connected)
    assert (await judge(connected, connected.delivery(ours, theirs))).outcome == pb.WEBHOOK_OUTCOME_BAD_SIGNATURE


async def test_every_delivery_of_a_group_has_its_verdict(connected: Shop) -> None:
    integration_id, secret = await identity_of(connected)
    good = connected.delivery(integration_id, secret)
    bad = connected.delivery(integration_id, "whsec_guessed")
    nobody = connected.delivery(new_id(), secret)
    verdicts = await connected.caller.verify(good, bad, nobody, good)
    assert [one.outcome for one in verdicts] == [
        VERIFIED,
        pb.WEBHOOK_OUTCOME_BAD_SIGNATURE,
        pb.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION,
        VERIFIED,
    ]


def with_invoice(**values: object) -> bytes:
    """An event whose invoice is not what Stripe would send: whoever knows a signing secret can sign anything."""
    invoice = {**json.loads(event())["data"]["object"], **values}
    return event(data={"object": invoice})


@pytest.mark.parametrize(
    "body",
    [
        event(created=10**30),
        event(id=""),
        event(id="evt_\ud800"),
        event(type=["invoice.paid"]),
        event(type=7),
        with_invoice(total=10**30),
        with_invoice(total="2499"),
        with_invoice(total=24.99),
        with_invoice(amount_paid=-(10**30)),
        with_invoice(hosted_invoice_url={"a": 1}),
        with_invoice(metadata={"showbill_invoice": 7}),
        with_invoice(number="\ud800"),
        with_invoice(lines={"data": [{"amount": 10**30}]}),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: body[:24].decode() + body[-40:].decode() if len(body) < 1000 else body[:5].decode(),
)
async def test_no_signed_body_harms_others_of_its_group(connected: Shop, body: bytes) -> None:
    integration_id, secret = await identity_of(connected)
    good, odd = connected.delivery(integration_id, secret), connected.delivery(integration_id, secret, body)
    verdicts = await connected.caller.verify(good, odd, good)
    assert [one.outcome for one in verdicts] == [VERIFIED, pb.WEBHOOK_OUTCOME_MALFORMED, VERIFIED]
    assert verdicts[1].reason.endswith(".")


@pytest.mark.parametrize(
    "signature", ["t={now},v1=é", "v1=é,t=é", "t=٣,v1=" + "0" * 64, "é", "t=" + "9" * 5000 + ",v1=a"]
)
async def test_no_signature_harms_others_of_its_group(connected: Shop, signature: str) -> None:
    """Anybody may send these, without any secret."""
    integration_id, secret = await identity_of(connected)
    good, odd = (connected.delivery(integration_id, secret) for _ in range(2))
    odd.headers["stripe-signature"] = signature.format(now=int(time.time()))
    verdicts = await connected.caller.verify(good, odd, good)
    assert [one.outcome for one in verdicts] == [VERIFIED, pb.WEBHOOK_OUTCOME_BAD_SIGNATURE, VERIFIED]


async def test_group_too_large_is_refused(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    with pytest.raises(RemoteError) as refused:
        await connected.caller.verify(*[delivery] * 257)
    assert refused.value.kind is Kind.INVALID


async def test_plain_address_takes_the_configured_secrets(connected: Shop, stack: Stack) -> None:
    """Bound to one connection by setting; both secrets count while one is being replaced."""
    integration_id, _ = await identity_of(connected)
    settings = {"STRIPE_WEBHOOK_SECRET": "whsec_old,whsec_new", "STRIPE_WEBHOOK_CONNECTION": integration_id}
    other = Stack(stack.folder, stack.databases, stack.nats_url, {"integrations": settings})
    other.seeds, other.credential_key = stack.seeds, stack.credential_key
    async with running_stack(other, "integrations-plain"):
        caller = Caller(other.address("integrations-plain"), other.seeds)
        verdicts = await caller.verify(*(connected.delivery("", one) for one in ("whsec_old", "whsec_new", "whsec_x")))
        await caller.close()
    assert [one.outcome for one in verdicts] == [VERIFIED, VERIFIED, pb.WEBHOOK_OUTCOME_BAD_SIGNATURE]
    assert {one.event.integration_id for one in verdicts[:2]} == {integration_id}


async def test_burst_of_groups_is_all_verified(connected: Shop) -> None:
    delivery = connected.delivery(*await identity_of(connected))
    groups = await asyncio.gather(*(connected.caller.verify(*[delivery] * 32) for _ in range(10)))
    assert {one.outcome for group in groups for one in group} == {VERIFIED}
