"""A tile of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.gateway.schemas.integrations import ListedIntegrationView
from services.gateway.schemas.verification import HearingView

_GROUPS: Final = (
    ("Payments", ("stripe", "manual", "square", "paypal")),
    ("Store", ("shopify", "medusajs")),
    ("Accounting", ("quickbooks",)),
)
"""Where people look for a provider. One that stands nowhere here comes last, under More."""

Look = Literal["connected", "attention", "available", "soon", "locked"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One provider."""

    provider: str
    name: str
    description: str
    icon: str
    """Of our own icons, where it is not the provider's logo."""
    look: Look
    note: str
    page: str
    plan: str


def tile_of(listed: ListedIntegrationView, heard: HearingView | None = None) -> Tile:
    """A connection through which nothing is heard needs attention like one that does not work."""
    page = f"/integrations/{listed.provider}" if listed.connected or listed.availability == "available" else ""
    deaf = listed.status == "active" and heard is not None and heard.mode == "broken"
    return Tile(
        provider=listed.provider,
        name=listed.name,
        description=listed.description,
        icon=listed.icon if listed.icon != listed.provider else "",
        look="attention" if deaf else _look(listed),
        note=heard.sentence if heard and deaf else _note(listed),
        page=page,
        plan=listed.required_plan.title(),
    )


def _look(listed: ListedIntegrationView) -> Look:
    if listed.connected:
        return "connected" if listed.status == "active" else "attention"
    if listed.availability == "requires_plan":
        return "locked"
    return "available" if listed.availability == "available" else "soon"


def _note(listed: ListedIntegrationView) -> str:
    if not listed.connected:
        return "About 2 minutes" if listed.connect_fields else "No keys needed"
    if listed.status != "active":
        return listed.status_reason or "The connection does not work just now."
    if not listed.connect_fields:
        return "Ready to use"
    return f"{listed.account_name or listed.account_id} · {'live' if listed.livemode else 'test'} mode"


def groups_of(tiles: Sequence[Tile]) -> list[tuple[str, list[Tile]]]:
    """The tiles under their headings, within each in the order of the catalogue."""
    known = {provider for _, providers in _GROUPS for provider in providers}
    groups = [(title, [one for one in tiles if one.provider in providers]) for title, providers in _GROUPS]
    return [
        (title, some)
        for title, some in [*groups, ("More", [one for one in tiles if one.provider not in known])]
        if some
    ]
