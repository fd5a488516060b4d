"""The choices that the JSON names are those of the contracts, no more and no fewer."""

from typing import Any, get_args

import pytest

from services.gateway.backends.convert import enum_names
from services.gateway.schemas import integrations as integration_schemas
from services.gateway.schemas import invoices as invoice_schemas
from services.gateway.schemas import sendings as sending_schemas
from services.gateway.schemas import shows as show_schemas
from services.gateway.schemas import verification as verification_schemas
from services.rpc.showbill.events.v1 import events_pb2
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2


@pytest.mark.parametrize(
    ("choices", "enum", "prefix"),
    [
        (invoice_schemas.InvoiceStatus, invoicing_pb2.InvoiceStatus, "INVOICE_STATUS_"),
        (invoice_schemas.InvoiceStatus, events_pb2.InvoiceStatus, "INVOICE_STATUS_"),
        (invoice_schemas.DraftReason, invoicing_pb2.DraftReason, "DRAFT_REASON_"),
        (invoice_schemas.DraftReason, events_pb2.DraftReason, "DRAFT_REASON_"),
        (invoice_schemas.PlanAction, invoicing_pb2.PlanAction, "PLAN_ACTION_"),
        (invoice_schemas.PlanWarning, invoicing_pb2.PlanWarning, "PLAN_WARNING_"),
        (invoice_schemas.GenerationState, invoicing_pb2.GenerationState, "GENERATION_STATE_"),
        (invoice_schemas.Channel, invoicing_pb2.DeliveryChannel, "DELIVERY_CHANNEL_"),
        (invoice_schemas.DeliveryState, invoicing_pb2.DeliveryState, "DELIVERY_STATE_"),
        (sending_schemas.SendingState, invoicing_pb2.SendingState, "SENDING_STATE_"),
        (verification_schemas.Verdict, invoicing_pb2.Verdict, "VERDICT_"),
        (verification_schemas.HearingMode, invoicing_pb2.HearingMode, "HEARING_MODE_"),
        (show_schemas.ShowState, invoicing_pb2.ShowState, "SHOW_STATE_"),
        (show_schemas.ClaimStatus, invoicing_pb2.ClaimStatus, "CLAIM_STATUS_"),
        (integration_schemas.Availability, integrations_pb2.Availability, "AVAILABILITY_"),
        (integration_schemas.IntegrationStatus, integrations_pb2.IntegrationStatus, "INTEGRATION_STATUS_"),
        (integration_schemas.UpdateMode, integrations_pb2.UpdateMode, "UPDATE_MODE_"),
    ],
    ids=lambda value: getattr(getattr(value, "DESCRIPTOR", None), "full_name", ""),
)
def test_choices_equal_those_of_the_contract(choices: Any, enum: Any, prefix: str) -> None:
    names = enum_names(enum.DESCRIPTOR, prefix)
    assert {name for name in names.values() if name} == set(get_args(choices))
    assert names[0] is None
