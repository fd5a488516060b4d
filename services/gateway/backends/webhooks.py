"""Provider deliveries through both services: the integrations service verifies, the invoicing service applies."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import structlog

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations
from services.rpc.showbill.integrations.v1.integrations_pb2_grpc import IntegrationsServiceStub
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as invoicing
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

log = structlog.get_logger()

MOST: Final = 256
"""Deliveries in one call."""
_VERIFYING: Final = 5.0
_APPLYING: Final = 10.0
"""Seconds. Together less than Stripe waits for an answer."""
_ALL_WORKSPACES: Final = Identity(workspace_id="", actor="worker:webhooks")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it came in. `connection` is empty for the plain address."""

    provider: str
    connection: str
    body: bytes
    headers: dict[str, str]


class Outcome(Enum):
    """What became of a delivery."""

    DONE = "done"
    """Committed: applied, or known, or recorded as none of ours."""
    REFUSED = "refused"
    """No genuine event of the provider."""
    UNKNOWN = "unknown"
    """There is no such connection."""
    GONE = "gone"
    """The connection was ended."""
    AGAIN = "again"
    """Nothing was kept; the provider should deliver it again."""


_VERDICTS: Final = {
    integrations.WEBHOOK_OUTCOME_VERIFIED: Outcome.DONE,
    integrations.WEBHOOK_OUTCOME_BAD_SIGNATURE: Outcome.REFUSED,
    integrations.WEBHOOK_OUTCOME_MALFORMED: Outcome.REFUSED,
    integrations.WEBHOOK_OUTCOME_UNKNOWN_CONNECTION: Outcome.UNKNOWN,
    integrations.WEBHOOK_OUTCOME_GONE: Outcome.GONE,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, with a sentence where it was refused."""

    outcome: Outcome
    reason: str = ""


class WebhookBackend:
    """Verifies and applies deliveries, a group in one call each."""

    def __init__(self, integrations_client: GrpcClient, invoicing_client: GrpcClient) -> None:
        self._integrations = integrations_client
        self._invoicing = invoicing_client
        self._verify = IntegrationsServiceStub(integrations_client.channel).VerifyWebhooks
        self._apply = InvoicesServiceStub(invoicing_client.channel).ApplyProviderEvents

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[Verdict]:
        """One verdict each, in order. A service that is away is the outcome AGAIN, never an exception."""
        try:
            judged = await self._judge(deliveries)
        except RemoteError as error:
            log.warning("webhooks not verified", reason=error.reason, deliveries=len(deliveries))
            return [Verdict(Outcome.AGAIN)] * len(deliveries)
        if len(judged) != len(deliveries):
            log.error("webhooks not verified: verdicts are missing", verdicts=len(judged), deliveries=len(deliveries))
            return [Verdict(Outcome.AGAIN)] * len(deliveries)
        verdicts = [Verdict(_VERDICTS.get(verdict.outcome, Outcome.AGAIN), verdict.reason) for verdict in judged]
        genuine = [place for place, verdict in enumerate(verdicts) if verdict.outcome is Outcome.DONE]
        if genuine:
            outcomes = await self._applied([judged[place].event for place in genuine])
            for place, outcome in zip(genuine, outcomes, strict=True):
                verdicts[place] = Verdict(outcome)
        return verdicts

    async def _judge(self, deliveries: Sequence[Delivery]) -> Sequence[integrations.WebhookVerdict]:
        request = integrations.VerifyWebhooksRequest(
            deliveries=[
                integrations.WebhookDelivery(
                    provider=delivery.provider,
                    integration_id=delivery.connection,
                    body=delivery.body,
                    headers=delivery.headers,
                )
                for delivery in deliveries
            ]
        )
        answer = await self._integrations.call(self._verify, request, _ALL_WORKSPACES, timeout=_VERIFYING)
        return answer.verdicts

    async def _applied(self, events: Sequence[integrations.ProviderEvent]) -> list[Outcome]:
        request = invoicing.ApplyProviderEventsRequest(events=[translate(event) for event in events])
        try:
            answer = await self._invoicing.call(self._apply, request, _ALL_WORKSPACES, timeout=_APPLYING)
        except RemoteError as error:
            log.warning("webhooks not applied", reason=error.reason, events=len(events))
            return [Outcome.AGAIN] * len(events)
        if len(answer.outcomes) != len(events):  # none of them can be told from the others
            log.error("webhooks not applied: outcomes are missing", outcomes=len(answer.outcomes), events=len(events))
            return [Outcome.AGAIN] * len(events)
        unsettled = (invoicing.EVENT_OUTCOME_TRY_AGAIN, invoicing.EVENT_OUTCOME_UNSPECIFIED)
        return [Outcome.AGAIN if outcome in unsettled else Outcome.DONE for outcome in answer.outcomes]


def translate(event: integrations.ProviderEvent) -> invoicing.ProviderEvent:
    """The same event in the words of the invoicing service; the two contracts number their fields differently."""
    # The two enums carry the same names and numbers; a test holds them together.
    translated = invoicing.ProviderEvent(
        event_id=event.event_id,
        provider=event.provider,
        workspace_id=event.workspace_id,
        integration_id=event.integration_id,
        account_id=event.account_id,
        livemode=event.livemode,
        type=invoicing.ProviderEventType.ValueType(event.type),
        provider_type=event.provider_type,
        occur_time=event.occur_time if event.HasField("occur_time") else None,
    )
    if event.HasField("invoice"):
        invoice = event.invoice
        translated.invoice.CopyFrom(
            invoicing.ProviderInvoice(
                external_id=invoice.external_id,
                total=invoice.total,
                currency=invoice.currency,
                external_url=invoice.external_url,
                provider_url=invoice.provider_url,
                number=invoice.number,
                paid_time=invoice.paid_time if invoice.HasField("paid_time") else None,
                invoice_id=invoice.invoice_id,
                revision=invoice.revision,
                replaced_by=invoice.replaced_by,
                replaces=invoice.replaces,
                mailed_to=invoice.mailed_to if invoice.HasField("mailed_to") else None,
                lines=[
                    invoicing.ProviderInvoiceLine(description=line.description, amount=line.amount)
                    for line in invoice.lines
                ],
            )
        )
    return translated
