"""Whether this process is up, and what it can reach."""

import asyncio
import time
from typing import Annotated, Final, Literal

import asyncpg
import msgspec
import structlog
from litestar import Response, Router, get
from litestar.di import NamedDependency

from services.common.bus import Bus
from services.common.db import Pool
from services.gateway.backends.patient import PatientClient
from services.gateway.schemas.base import View

log = structlog.get_logger()

State = Literal["ok", "away"]
_KEPT: Final = 0.25
"""Seconds for which an answer does: whoever asks is not counted, and must not make us ask everybody each time."""
_PATIENCE: Final = 1.0
"""Seconds. Whoever asks for our health will not wait much longer."""


class HealthView(View):
    """The gateway works while its database does; what else is away takes down only what needs it."""

    status: State
    database: State
    integrations: State
    invoicing: State
    events: Annotated[State, msgspec.Meta(description="The bus that live updates come from.")]


class Health:
    """Asks the parts how they are."""

    def __init__(self, pool: Pool, bus: Bus, integrations: PatientClient, invoicing: PatientClient) -> None:
        self._pool = pool
        self._bus = bus
        self._integrations = integrations
        self._invoicing = invoicing
        self._asking: asyncio.Task[HealthView] | None = None
        self._asked_at = 0.0

    async def report(self) -> HealthView:
        """As it is, or was a moment ago."""
        now = time.monotonic()
        if self._asking is None or (self._asking.done() and now >= self._asked_at + _KEPT):
            self._asking, self._asked_at = asyncio.create_task(self._ask()), now
        return await asyncio.shield(self._asking)

    async def _ask(self) -> HealthView:
        database, *serving = await asyncio.gather(
            self._database(), self._integrations.serving(_PATIENCE), self._invoicing.serving(_PATIENCE)
        )
        integrations, invoicing = (_state(one) for one in serving)
        return HealthView(
            status=database,
            database=database,
            integrations=integrations,
            invoicing=invoicing,
            events=_state(self._bus.client.is_connected),
        )

    async def _database(self) -> State:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._pool.fetchval("SELECT 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            log.warning("database away", error=str(error))
            return "away"
        return "ok"


def _state(works: bool) -> State:
    return "ok" if works else "away"


@get("/api/health")
async def get_health(health: NamedDependency[Health]) -> Response[HealthView]:
    """200 while this process and its database work, else 503; says what else answers."""
    report = await health.report()
    return Response(report, status_code=200 if report.status == "ok" else 503)


@get("/api/health/live", media_type="text/plain")
async def get_liveness() -> str:
    """200 while this process runs."""
    return "ok"


ROUTES: Final = Router("/", route_handlers=[get_health, get_liveness], tags=["Health"])
