"""What an adapter's folder offers, and what the service lends to it. Each folder has a `factory.py` with an `OFFER`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final

import msgspec

from services.common.secret import Secret
from services.integrations.connection_values import Permission
from services.integrations.ports import CustomerBook, IntegrationAdapter, InvoiceStore, Pace

PLANS: Final = ("free", "pro")
"""From the lowest to the highest."""


class Availability(Enum):
    AVAILABLE = "available"
    COMING_SOON = "coming_soon"
    REQUIRES_PLAN = "requires_plan"


@dataclass(frozen=True, slots=True)
class ConnectField:
    """One field of the credentials, as a form asks for it."""

    name: str
    label: str
    hint: str
    placeholder: str = ""
    hidden: bool = False
    """Never shown again once it was typed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider as the hub describes it."""

    provider: str
    name: str
    description: str
    available: bool
    required_plan: str = ""
    icon: str = ""
    """Name of the logo among the dashboard's icons; the provider's slug when empty."""
    place: int = 100
    """The hub shows lower ones first."""
    connect_fields: Sequence[ConnectField] = ()
    permissions: Sequence[Permission] = ()
    """What the keys are asked for; `granted` says nothing."""
    settings: Sequence[str] = ()
    """Those that have an effect, of connection.Settings."""

    def availability(self, plan: str) -> Availability:
        """What a workspace of this plan may do with it. A plan that we do not know counts as the lowest."""
        rank = PLANS.index(plan) if plan in PLANS else 0
        if self.required_plan and rank < PLANS.index(self.required_plan):
            return Availability.REQUIRES_PLAN
        return Availability.AVAILABLE if self.available else Availability.COMING_SOON


Rate = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
"""Calls per second."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per second that a provider allows one account."""

    live: float
    test: float
    per_operation: float


@dataclass(frozen=True, slots=True)
class PlainAddress:
    """The configured secrets of a provider's webhook address that names no connection, and the connection that they
    are bound to."""

    provider: str
    integration_id: str
    secrets: Sequence[Secret]


@dataclass(frozen=True, slots=True)
class Lent:
    """What the service lends to an adapter: it sees neither the database nor protobuf."""

    pace: Callable[[Rates], Pace]
    book: CustomerBook
    store: InvoiceStore


@dataclass(frozen=True, slots=True)
class Made:
    """An adapter that runs."""

    adapter: IntegrationAdapter
    plain_address: PlainAddress | None = None


class NoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Of an adapter that has nothing to set."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An adapter that can be made."""

    entry: Entry
    settings: type[msgspec.Struct]
    """Read from the environment: a field `some_base` from SOME_BASE."""
    make: Callable[[Any, Lent], Made]
    """Called inside the running loop with the settings that were read."""
