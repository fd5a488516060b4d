"""What stands around every part of a show's page: its head, its money with the picture over time, its tabs."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from services.common.context import Identity
from services.gateway.backends.browsing import Browsing
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.invoices import Invoices
from services.gateway.backends.shows import Shows
from services.gateway.dashboard.views.money import Money, money_of
from services.gateway.dashboard.views.panel import Connection, connection_of
from services.gateway.dashboard.views.tabs import TabName, TabPanel, tabs_of
from services.gateway.dashboard.views.trend import POINTS, trend_of
from services.gateway.schemas.integrations import IntegrationSettingsView
from services.gateway.schemas.shows import ShowView


async def frame_of(browsing: Browsing, who: Identity, show: ShowView, money: Money, tab: TabName) -> dict[str, Any]:
    """Beside the show and its money, which whoever asks has read already."""
    points = await browsing.trend(who, show.id, POINTS) if money.collected else []
    trend = trend_of(points, money.claimed, datetime.now(UTC))
    return {"tab": tab, "tabs": tabs_of(show, money), "trend": trend, "seq": show.seq}


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
