"""Proof of a show, and how payments are heard of."""

from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.gateway.backends.verification import Verification
from services.gateway.identity.principal import Principal
from services.gateway.schemas.verification import HearingView, VerificationView


@post("/api/shows/{show_id:str}/verify", status_code=200)
async def verify_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], verification: NamedDependency[Verification]
) -> VerificationView:
    """List the provider and prove, or disprove, that each buyer has exactly the right invoices. Changes nothing."""
    return await verification.verify(caller.identity, show_id)


@get("/api/integrations/{provider:str}/hearing")
async def get_hearing(
    provider: FromPath[str], caller: NamedDependency[Principal], verification: NamedDependency[Verification]
) -> HearingView:
    """How payments are heard of, when that last happened, and whether a reading of what was missed failed."""
    return await verification.hearing(caller.identity, provider)


ROUTES: Final = Router("/", route_handlers=[verify_show, get_hearing], tags=["Verification"])
