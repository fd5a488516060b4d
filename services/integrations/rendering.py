"""Our values as messages of the contract, and its requests as our values. The only place that knows both."""

import contextlib
from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration

from services.common.errors import Fault, require
from services.common.money import exponent, format_money, is_currency
from services.common.templates import render
from services.common.timestamps import from_proto, to_proto
from services.integrations.audit import AuditEntry
from services.integrations.checking import Checked
from services.integrations.connection import LIVE, Connection, Settings, etag
from services.integrations.connection_values import EndpointState, Limits, Permission
from services.integrations.invoice_values import (
    Buyer,
    DraftContent,
    InvoiceOrder,
    InvoiceState,
    Line,
    ProviderEvent,
    ProviderInvoice,
)
from services.integrations.offers import Availability, ConnectField, Entry
from services.integrations.ports import IntegrationAdapter
from services.integrations.webhooks import Verdict
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb

UNFIT_EVENT = "The body is signed, but holds values that an event cannot have."


def entry(one: Entry, plan: str, adapter: IntegrationAdapter | None) -> pb.CatalogEntry:
    """`adapter` is that of the provider; None where this installation has none."""
    availability = one.availability(plan)
    return pb.CatalogEntry(
        provider=one.provider,
        name=one.name,
        description=one.description,
        icon=one.icon or one.provider,
        availability=pb.Availability.Value(f"AVAILABILITY_{availability.name}"),
        required_plan=one.required_plan if availability is Availability.REQUIRES_PLAN else "",
        connect_fields=[_connect_field(field) for field in one.connect_fields],
        permissions=permissions(one.permissions),
        settings=one.settings,
        keys_url=adapter.keys_url() if adapter else "",
    )


def _connect_field(one: ConnectField) -> pb.ConnectField:
    return pb.ConnectField(
        name=one.name, label=one.label, hint=one.hint, placeholder=one.placeholder, hidden=one.hidden
    )


def integration(one: Connection, adapter: IntegrationAdapter | None) -> pb.Integration:
    """`adapter` is that of its provider; None where this installation has none."""
    return pb.Integration(
        id=one.id,
        provider=one.provider,
        status=pb.IntegrationStatus.Value(f"INTEGRATION_STATUS_{one.status.upper()}"),
        status_reason=one.status_reason,
        account_id=one.account_id,
        livemode=one.livemode,
        country=one.country,
        default_currency=one.default_currency,
        key_hint=one.key_hint,
        update_mode=update_mode(one),
        update_mode_reason=one.update_mode_reason,
        settings=_settings(one),
        connect_time=to_proto(one.connect_time),
        connected_by=one.connected_by,
        last_event_time=to_proto(one.last_event_time),
        status_time=to_proto(one.status_time),
        account_name=one.account_name,
        public_key_hint=one.public_key_hint,
        key_kind=one.key_kind,
        invoices_url=adapter.invoices_url(one.account_id, livemode=one.livemode) if adapter else "",
    )


def update_mode(one: Connection) -> pb.UpdateMode.ValueType:
    return pb.UpdateMode.Value(f"UPDATE_MODE_{one.update_mode.upper()}")


def _settings(one: Connection) -> pb.IntegrationSettings:
    found, currency = one.settings, one.settings.default_currency or one.default_currency
    return pb.IntegrationSettings(
        default_currency=currency,
        default_currency_exponent=exponent(currency) if is_currency(currency) else 0,
        memo_template=found.memo_template,
        message_template=found.message_template,
        days_until_due=found.days_until_due,
        footer=found.footer,
        automatic_sending=found.automatic_sending,
        payment_instructions=found.payment_instructions,
        etag=etag(found),
    )


def settings(one: pb.IntegrationSettings) -> Settings:
    return Settings(
        default_currency=one.default_currency.strip().upper(),
        memo_template=one.memo_template,
        message_template=one.message_template,
        days_until_due=one.days_until_due,
        footer=one.footer,
        automatic_sending=one.automatic_sending,
        payment_instructions=one.payment_instructions,
    )


def limits(one: Limits) -> pb.ProviderLimits:
    return pb.ProviderLimits(
        minimum_totals=one.minimum_totals,
        maximum_total=one.maximum_total,
        maximum_lines=one.maximum_lines,
        maximum_totals=one.maximum_totals,
        cannot_email=one.cannot_email,
    )


def permissions(found: Sequence[Permission]) -> list[pb.Permission]:
    return [
        pb.Permission(name=one.name, granted=one.granted, required=one.required, purpose=one.purpose) for one in found
    ]


def test_response(one: Checked) -> pb.TestIntegrationResponse:
    latency = Duration()
    latency.FromNanoseconds(int(one.health.seconds * 1e9))
    return pb.TestIntegrationResponse(
        healthy=one.health.healthy,
        livemode=one.connection.livemode,
        latency=latency,
        reason=one.health.sentence,
        account_id=one.connection.account_id,
        permissions=permissions(one.health.permissions),
        webhook_endpoint=_endpoint(one.health.endpoint),
        update_mode=_heard_by(one),
        last_event_time=to_proto(one.connection.last_event_time),
    )


def _heard_by(one: Checked) -> pb.UpdateMode.ValueType:
    """What the endpoint's state makes of the mode that the connection was made with."""
    endpoint = one.health.endpoint
    live = one.connection.update_mode == LIVE
    if not one.health.healthy or (live and endpoint is not None and endpoint.problem):
        return pb.UPDATE_MODE_BROKEN
    return pb.UPDATE_MODE_CATCHING_UP if live and one.health.behind else update_mode(one.connection)


def _endpoint(state: EndpointState | None) -> pb.WebhookEndpointState | None:
    if state is None:
        return None
    return pb.WebhookEndpointState(
        exists=state.exists,
        enabled=state.enabled,
        url=state.url,
        api_version=state.api_version,
        missing_events=state.missing_events,
    )


def verdict(one: Verdict, provider: str) -> pb.WebhookVerdict:
    if one.event is None:
        outcome = pb.WebhookOutcome.Value(f"WEBHOOK_OUTCOME_{one.outcome.name}")
        return pb.WebhookVerdict(outcome=outcome, reason=one.reason)
    try:
        return pb.WebhookVerdict(outcome=pb.WEBHOOK_OUTCOME_VERIFIED, event=_verified(one, one.event, provider))
    except (TypeError, ValueError):
        # Whoever knows a signing secret can sign what no message holds. It must not cost the group its answer.
        return pb.WebhookVerdict(outcome=pb.WEBHOOK_OUTCOME_MALFORMED, reason=UNFIT_EVENT)


def _verified(one: Verdict, event: ProviderEvent, provider: str) -> pb.ProviderEvent:
    return _event(event, provider, one.workspace_id, one.integration_id)


def listed_events(
    events: Sequence[ProviderEvent], provider: str, workspace_id: str, integration_id: str
) -> list[pb.ProviderEvent]:
    """Without those that no message holds: no invoice of ours is among them."""
    fit = []
    for event in events:
        with contextlib.suppress(TypeError, ValueError):
            fit.append(_event(event, provider, workspace_id, integration_id))
    return fit


def _event(event: ProviderEvent, provider: str, workspace_id: str, integration_id: str) -> pb.ProviderEvent:
    return pb.ProviderEvent(
        event_id=event.event_id,
        provider=provider,
        workspace_id=workspace_id,
        integration_id=integration_id,
        account_id=event.account_id,
        livemode=event.livemode,
        type=pb.ProviderEventType.Value(f"PROVIDER_EVENT_TYPE_{event.type.name}"),
        provider_type=event.provider_type,
        occur_time=to_proto(event.occur_time),
        invoice=invoice(event.invoice) if event.invoice else None,
    )


def invoice(one: ProviderInvoice) -> pb.ProviderInvoice:
    return pb.ProviderInvoice(
        external_id=one.external_id,
        status=_state(one.state),
        total=one.total,
        amount_paid=one.amount_paid,
        currency=one.currency,
        external_url=one.external_url,
        provider_url=one.provider_url,
        number=one.number,
        account_id=one.account_id,
        livemode=one.livemode,
        paid_time=to_proto(one.paid_time),
        finalize_time=to_proto(one.finalize_time),
        create_time=to_proto(one.create_time),
        invoice_id=one.invoice_id,
        revision=one.revision,
        replaced_by=one.replaced_by,
        replaces=one.replaces,
        emailed_by_provider=one.emailed_by_provider,
        mailed_to=one.mailed_to,
        lines=[pb.ProviderInvoiceLine(description=line.description, amount=line.amount) for line in one.lines],
        payment_instructions=one.payment_instructions,
    )


def _state(state: InvoiceState) -> pb.ProviderInvoiceStatus.ValueType:
    return pb.ProviderInvoiceStatus.Value(f"PROVIDER_INVOICE_STATUS_{state.name}")


def audit_entry(one: AuditEntry) -> pb.AuditEntry:
    return pb.AuditEntry(
        id=one.id,
        provider=one.provider,
        action=one.action,
        actor=one.actor,
        create_time=to_proto(one.create_time),
        detail=one.detail,
        count=one.count,
    )


def order(request: pb.CreateInvoiceRequest, chosen: Settings) -> InvoiceOrder:
    """The invoice that a request and the connection's settings ask for."""
    values = {
        "buyer": request.buyer.display_name or request.buyer.handle,
        "show_name": request.show_name,
        "show_date": request.show_date,
        "item_count": str(len(request.lines)),
        "total": format_money(request.total, request.currency),
    }
    return InvoiceOrder(
        invoice_id=request.invoice_id,
        revision=request.revision,
        attempt=request.attempt,
        first_attempt_time=from_proto(request.first_attempt_time),
        buyer=buyer(request.buyer),
        currency=request.currency,
        lines=[_line(line) for line in request.lines],
        total=request.total,
        keep_draft=request.keep_draft,
        memo=render(chosen.memo_template, values),
        days_until_due=chosen.days_until_due,
        footer=chosen.footer,
        payment_instructions=chosen.payment_instructions,
    )


def buyer(one: pb.InvoiceBuyer) -> Buyer:
    return Buyer(one.platform, one.platform_user_id, one.handle, one.display_name, one.email)


def content(request: pb.UpdateDraftRequest) -> DraftContent:
    """What a draft is to hold."""
    lines, told = [_line(line) for line in request.lines], buyer(request.buyer) if request.HasField("buyer") else None
    return DraftContent(lines, request.total, request.currency, request.keep_draft, told)


def _line(line: pb.InvoiceLine) -> Line:
    unit_price = line.unit_price if line.HasField("unit_price") else None
    return Line(line.item_number, line.title, line.quantity, unit_price, line.amount)


def check_order(request: pb.CreateInvoiceRequest) -> None:
    """Raises InvalidRequest with everything in the request that contradicts itself."""
    faults = _buyer_faults(request.buyer) + _content_faults(request)
    if not request.invoice_id:
        faults.append(Fault("invoice_id", "The invoice has no id."))
    require(faults)


def check_content(request: pb.UpdateDraftRequest) -> None:
    """Raises InvalidRequest."""
    require(_content_faults(request))


def check_buyer(one: pb.InvoiceBuyer) -> None:
    """Raises InvalidRequest."""
    require(_buyer_faults(one))


def _buyer_faults(one: pb.InvoiceBuyer) -> list[Fault]:
    if one.platform and one.platform_user_id:
        return []
    return [Fault("buyer", "The buyer has no platform or no platform user id.")]


def _content_faults(request: pb.CreateInvoiceRequest | pb.UpdateDraftRequest) -> list[Fault]:
    faults = []
    if not is_currency(request.currency):
        faults.append(Fault("currency", "The currency is not an upper-case ISO 4217 code."))
    if not request.lines:
        faults.append(Fault("lines", "The invoice has no lines."))
    faults += [
        Fault(f"lines[{number}].amount", "The amount of a line is not its quantity times its unit price.")
        for number, line in enumerate(request.lines)
        if line.amount != line.quantity * line.unit_price
    ]
    if request.total < 0:
        faults.append(Fault("total", "The total is negative."))
    if sum(line.amount for line in request.lines) != request.total:
        faults.append(Fault("total", "The total is not the sum of the lines."))
    return faults
