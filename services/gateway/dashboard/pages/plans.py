"""What the plans hold, and which one the workspace has."""

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from services.gateway.backends.integrations import Integrations
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.identity.principal import Principal


@get("/plans")
async def plans_page(
    request: AnyRequest, caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[bytes]:
    """The catalogue says which providers need another plan than the workspace has."""
    catalogue = await integrations.list(caller.identity)
    locked = [one for one in catalogue if one.availability == "requires_plan"]
    return render(request, "plans.html", {"locked": locked})


HANDLERS: Final = [plans_page]
