"""Payments that count for no invoice."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.gateway.schemas.base import Body, View

StraySettlement = Literal["returned", "counted_elsewhere"]


class StrayPaymentView(View):
    """Money that came in for what a late try had left at the provider, beside the invoice that counts."""

    id: str
    show_id: str
    invoice_id: Annotated[str, msgspec.Meta(description="The invoice that it was made beside.")]
    handle: str
    display_name: str
    platform_user_id: str
    provider: str
    external_account: Annotated[str, msgspec.Meta(description="Where it came in.")]
    livemode: bool
    external_id: Annotated[str, msgspec.Meta(description="The provider's id of what was paid.")]
    provider_url: Annotated[str, msgspec.Meta(description="The provider's own page of it; empty where it told none.")]
    total: Annotated[int, msgspec.Meta(description="Minor units.")]
    currency: str
    paid_at: Annotated[datetime | None, msgspec.Meta(description="Null where the provider did not tell it.")]
    noted_at: Annotated[datetime | None, msgspec.Meta(description="When it was found.")]
    settlement: Annotated[StraySettlement | None, msgspec.Meta(description="Null until it is settled.")]
    note: str
    settled_by: str
    settled_at: datetime | None


class StrayPaymentPage(View):
    """The oldest first."""

    items: list[StrayPaymentView]
    next_page_token: str


class SettleStrayBody(Body):
    """What became of the money."""

    settlement: Annotated[
        StraySettlement,
        msgspec.Meta(
            description="`returned`: the buyer has it back; `counted_elsewhere`: it was taken for another debt."
        ),
    ]
    note: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=500,
            description="How it was given back, or what it counts for. Kept in the history.",
        ),
    ]
