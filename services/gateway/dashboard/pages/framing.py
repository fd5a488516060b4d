"""What stands around every part of a show's page: its head, its money with the picture over time, its tabs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.common.context import Identity
from services.common.money import format_money
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.views.money import Money, money_of
from services.gateway.dashboard.views.panel import Connection, Panel, connection_of
from services.gateway.dashboard.views.plan import Plan
from services.gateway.dashboard.views.tabs import TabName, TabPanel, tabs_of
from services.gateway.dashboard.views.trend import POINTS, trend_of
from services.gateway.schemas.browsing import Owed, TrendPoint
from services.gateway.schemas.integrations import IntegrationSettingsView
from services.gateway.schemas.shows import ShowView


async def frame_of(browsing: Browsing, who: Identity, show: ShowView, money: Money, tab: TabName) -> dict[str, Any]:
    """Beside the show and its money, which whoever asks has read already."""
    (points, owed), (platforms, claimed) = await asyncio.gather(
        picture_of(browsing, who, show.id, money),
        browsing.claimed(who, show.id) if show.claim_count else _unclaimed(),
    )
    trend = trend_of(points, money.claimed, datetime.now(UTC))
    told = {"tab": tab, "tabs": tabs_of(show, money), "trend": trend, "owed": owed, "seq": show.seq}
    return told | {"platforms": platforms, "claimed_items": claimed}


async def picture_of(
    browsing: Browsing, who: Identity, show_id: str, money: Money
) -> tuple[list[TrendPoint], Owed | None]:
    """How the money came in; before any did, what is owed."""
    if money.collected:
        return await browsing.trend(who, show_id, POINTS), None
    return [], await browsing.owed(who, show_id) if money.claimed else None


async def _unclaimed() -> tuple[list[str], int]:
    return [], 0


async def framed(
    who: Identity,
    show_id: str,
    tab: TabName,
    shows: Shows,
    invoices: Invoices,
    integrations: Integrations,
    browsing: Browsing,
) -> dict[str, Any]:
    """The whole frame."""
    show = await shows.get(who, show_id)  # its position first: what changes while the rest is read counts as news
    summary, listed = await asyncio.gather(invoices.summary(who, show_id), integrations.list_if_known(who))
    money = money_of(summary)
    values = {"show": show, "money": money, "panel": TabPanel(tab, connection_of(listed))}
    return values | await frame_of(browsing, who, show, money, tab)


async def terms_of(integrations: Integrations, who: Identity, connection: Connection) -> IntegrationSettingsView | None:
    """What the invoices of a run are made with. None while nothing is connected."""
    return (await integrations.get(who, "stripe")).settings if connection.connected else None


async def ready_of(
    panel: Panel,
    plan: Plan,
    terms: IntegrationSettingsView | None,
    integrations: Integrations,
    who: Identity,
    show: ShowView,
) -> Panel:
    """The panel with its plan, and what its invoices are made with: the memo as the first of the buyers gets it."""
    memo = ""
    if terms and terms.memo_template and plan.creates:
        entry, day = plan.creates[0], show.start_time or show.created_at
        values = {
            "buyer": entry.buyer.display_name or entry.buyer.handle,
            "show_name": show.name,
            "show_date": day.date().isoformat() if day else "",
            "item_count": str(entry.buyer.line_count),
            "total": format_money(entry.total, plan.currency),
        }
        shown = await integrations.preview(who, "stripe", terms.memo_template, values, "memo_template")
        memo = shown.text
    sends = bool(terms and terms.automatic_sending) if plan.wishes.sends is None else plan.wishes.sends
    return replace(panel, plan=replace(plan, sends=sends), terms=terms, memo=memo)
