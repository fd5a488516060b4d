"""Stripe's deliveries: handed on untouched, acknowledged only once they are settled."""

import asyncio
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from services.gateway.backends.webhooks import translate
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as invoicing
from tests.gateway.harness import Gateway
from tests.gateway.messages import filled

BODY = b'{"id": "evt_1",\r\n  "note": "caf\xc3\xa9 \xff raw"}'
VERIFIED = integrations.WEBHOOK_OUTCOME_VERIFIED


def verdicts(outcome: Any) -> Any:
    """Every delivery of a call gets the same verdict."""
    return lambda request: integrations.VerifyWebhooksResponse(
        verdicts=[
            integrations.WebhookVerdict(outcome=outcome, event=integrations.ProviderEvent(event_id=f"evt_{place}"))
            for place in range(len(request.deliveries))
        ]
    )


def outcomes(outcome: Any) -> Any:
    return lambda request: invoicing.ApplyProviderEventsResponse(outcomes=[outcome] * len(request.events))


async def test_body_and_signature_arrive_untouched(gateway: Gateway) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(VERIFIED))
    gateway.invoicing.script("ApplyProviderEvents", outcomes(invoicing.EVENT_OUTCOME_APPLIED))
    answer = await gateway.client()(
        "POST", "/api/webhooks/stripe/connection-1", data=BODY, headers={"Stripe-Signature": "t=1,v1=ab"}
    )
    assert answer.status == 200
    (delivery,) = gateway.integrations.last("VerifyWebhooks").deliveries
    assert (delivery.provider, delivery.integration_id, delivery.body) == ("stripe", "connection-1", BODY)
    assert dict(delivery.headers) == {"stripe-signature": "t=1,v1=ab"}
    assert gateway.integrations.calls["VerifyWebhooks"][0].identity.workspace_id == ""
    assert gateway.invoicing.last("ApplyProviderEvents").events[0].event_id == "evt_0"


async def test_the_plain_address_names_no_connection(gateway: Gateway) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(integrations.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION))
    answer = await gateway.client()("POST", "/api/webhooks/stripe", data=BODY)
    assert answer.status == 404
    assert gateway.integrations.last("VerifyWebhooks").deliveries[0].integration_id == ""


@pytest.mark.parametrize(
    ("outcome", "status", "kind"),
    [
        (integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE, 400, "bad-delivery"),
        (integrations.WEBHOOK_OUTCOME_MALFORMED, 400, "bad-delivery"),
        (integrations.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION, 404, "not-found"),
        (integrations.WEBHOOK_OUTCOME_GONE, 410, "connection-gone"),
        (integrations.WEBHOOK_OUTCOME_TRY_AGAIN, 503, "unavailable"),
        (integrations.WEBHOOK_OUTCOME_UNSPECIFIED, 503, "unavailable"),
    ],
)
async def test_what_is_not_verified_is_never_applied(gateway: Gateway, outcome: Any, status: int, kind: str) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(outcome))
    answer = await gateway.client()("POST", "/api/webhooks/stripe/c", data=BODY)
    assert answer.status == answer.json["status"] == status
    assert answer.json["type"] == f"urn:showbill:problem:{kind}"
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert not gateway.invoicing.calls


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (invoicing.EVENT_OUTCOME_APPLIED, 200),
        (invoicing.EVENT_OUTCOME_DUPLICATE, 200),
        (invoicing.EVENT_OUTCOME_NO_CHANGE, 200),
        (invoicing.EVENT_OUTCOME_UNKNOWN_INVOICE, 200),
        (invoicing.EVENT_OUTCOME_TRY_AGAIN, 503),
        (invoicing.EVENT_OUTCOME_UNSPECIFIED, 503),
    ],
)
async def test_acknowledged_only_when_settled(gateway: Gateway, outcome: Any, status: int) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(VERIFIED))
    gateway.invoicing.script("ApplyProviderEvents", outcomes(outcome))
    assert (await gateway.client()("POST", "/api/webhooks/stripe/c", data=BODY)).status == status


@pytest.mark.parametrize("away", ["integrations", "invoicing"])
async def test_a_service_that_is_away_makes_stripe_return(gateway: Gateway, away: str) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(VERIFIED))
    service = getattr(gateway, away)
    await service.stop()
    try:
        answer = await gateway.client()("POST", "/api/webhooks/stripe/c", data=BODY)
    finally:
        await service.start(getattr(gateway.config, f"{away}_address"))
    assert answer.status == 503
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("count", [0, 2])
async def test_an_answer_of_another_length_makes_stripe_return_at_once(gateway: Gateway, count: int) -> None:
    verdict = integrations.WebhookVerdict(outcome=VERIFIED, event=integrations.ProviderEvent(event_id="evt_1"))
    gateway.integrations.script("VerifyWebhooks", integrations.VerifyWebhooksResponse(verdicts=[verdict] * count))
    client = gateway.client()
    assert (await client("POST", "/api/webhooks/stripe/c", data=BODY)).status == 503
    assert not gateway.invoicing.calls
    gateway.integrations.script("VerifyWebhooks", verdicts(VERIFIED))
    applied = invoicing.ApplyProviderEventsResponse(outcomes=[invoicing.EVENT_OUTCOME_APPLIED] * count)
    gateway.invoicing.script("ApplyProviderEvents", applied)
    assert (await client("POST", "/api/webhooks/stripe/c", data=BODY)).status == 503


async def test_an_address_of_deliveries_takes_nothing_else(gateway: Gateway) -> None:
    client = gateway.client()
    answer = await client("GET", "/api/webhooks/stripe/c")
    assert (answer.status, answer.headers["Allow"], answer.json["type"]) == (
        405,
        "POST",
        "urn:showbill:problem:method-not-allowed",
    )
    for path in ("/api/webhooks/stripes", "/api/webhooks/stripe/c/d"):
        assert (await client("POST", path, data=BODY)).status == 404
    assert not gateway.integrations.calls


async def test_each_of_a_group_gets_its_own_answer(gateway: Gateway) -> None:
    def by_body(request: Any) -> Any:
        known = {b"good": VERIFIED, b"bad": integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE}
        return integrations.VerifyWebhooksResponse(
            verdicts=[integrations.WebhookVerdict(outcome=known[one.body]) for one in request.deliveries]
        )

    gateway.integrations.script("VerifyWebhooks", by_body)
    gateway.invoicing.script("ApplyProviderEvents", outcomes(invoicing.EVENT_OUTCOME_APPLIED))
    client = gateway.client()
    bodies = [b"good", b"bad", b"good", b"good", b"bad"] * 8
    answers = await asyncio.gather(*(client("POST", "/api/webhooks/stripe/c", data=body) for body in bodies))
    assert [answer.status for answer in answers] == [200 if body == b"good" else 400 for body in bodies]
    assert len(gateway.integrations.calls["VerifyWebhooks"]) < len(bodies)


async def test_a_delivery_may_not_be_huge(gateway: Gateway) -> None:
    answer = await gateway.client()("POST", "/api/webhooks/stripe/c", data=b"x" * (1024 * 1024 + 1))
    assert answer.status == 413
    assert not gateway.integrations.calls


async def test_deliveries_need_no_origin_and_no_session(gateway: Gateway) -> None:
    gateway.integrations.script("VerifyWebhooks", verdicts(integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE))
    client = gateway.client(Origin="https://evil.example", Cookie="showbill_session=x", Authorization="Bearer x")
    assert (await client("POST", "/api/webhooks/stripe/c", data=BODY)).status == 400


def fields_of(descriptor: Descriptor) -> set[str]:
    return {field.name for field in descriptor.fields}


def test_translating_an_event_loses_nothing() -> None:
    event = filled(integrations.ProviderEvent())
    translated = translate(event)
    assert fields_of(translated.DESCRIPTOR) == fields_of(event.DESCRIPTOR)
    for name in fields_of(translated.DESCRIPTOR) - {"invoice"}:
        assert getattr(translated, name) == getattr(event, name), name
    for name in fields_of(translated.invoice.DESCRIPTOR) - {"lines"}:
        assert getattr(translated.invoice, name) == getattr(event.invoice, name), name
        assert getattr(translated.invoice, name), name
    assert [(line.description, line.amount) for line in translated.invoice.lines] == [
        (line.description, line.amount) for line in event.invoice.lines
    ]


def test_both_contracts_name_and_number_events_alike() -> None:
    ours: dict[str, int] = dict(invoicing.ProviderEventType.items())
    assert ours == dict(integrations.ProviderEventType.items())


def test_an_unset_time_stays_unset() -> None:
    assert not translate(integrations.ProviderEvent(event_id="evt_1")).HasField("occur_time")
    assert not translate(integrations.ProviderEvent(event_id="evt_1")).HasField("invoice")
