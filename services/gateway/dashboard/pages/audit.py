"""The audit: what was done with the keys of each provider, by whom. For owners."""

import asyncio
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from services.gateway.backends.integrations import Integrations
from services.gateway.dashboard.problems import NoSuchPage
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.dashboard.views.actors import name_of, names_of
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal
from services.gateway.identity.tokens import ApiTokens
from services.gateway.schemas.integrations import AuditPage

_MOST_SHOWN: Final = 50
_MOST_NAMES: Final = 1000
_WORDS: Final = {
    "connect": "Connected",
    "connect_refused": "Connecting refused",
    "replace": "Keys replaced",
    "replace_refused": "Replacing refused",
    "test": "Tested",
    "settings": "Settings changed",
    "disconnect": "Disconnected",
    "lose": "Keys lost",
    "use": "Keys used",
}


@get("/settings/audit")
async def audit_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    members: NamedDependency[Members],
    tokens: NamedDependency[ApiTokens],
    provider: Annotated[str, QueryParameter(max_length=50)] = "",
    page: Annotated[str, QueryParameter(max_length=2000)] = "",
) -> Response[bytes]:
    """Of one provider at a time: the first that was ever connected when none is named. Newest first."""
    known = [one for one in await integrations.list(caller.identity) if one.availability == "available"]
    chosen = provider or next((one.provider for one in known if one.status), "")
    if chosen and chosen not in [one.provider for one in known]:
        raise NoSuchPage
    found, people, programs = await asyncio.gather(
        integrations.audit(caller.identity, chosen, _MOST_SHOWN, page) if chosen else _nothing(),
        members.list(caller.workspace_id, _MOST_NAMES),
        tokens.list(caller.workspace_id, _MOST_NAMES),
    )
    names = names_of(people.items, programs.items)
    entries = [(one, _WORDS.get(one.action, one.action), name_of(one.actor, names)) for one in found.items]
    values = {"providers": known, "chosen": chosen, "entries": entries, "next_page": found.next_page_token}
    return render(request, "settings-audit.html", values | {"owner": True, "later": bool(page)})


async def _nothing() -> AuditPage:
    return AuditPage([], "")


HANDLERS: Final = [audit_page]
