"""API tokens of a workspace."""

from typing import Final

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.gateway.api.parameters import PageSize, PageToken
from services.gateway.idempotency import SHOWN_ONCE
from services.gateway.identity.principal import Principal
from services.gateway.identity.tokens import ApiTokens
from services.gateway.realtime.hub import Hub
from services.gateway.schemas.tokens import CreatedToken, NewToken, TokenPage, TokenView


@get("/api/tokens")
async def list_tokens(
    caller: NamedDependency[Principal],
    tokens: NamedDependency[ApiTokens],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> TokenPage:
    """The workspace's API tokens, without the tokens themselves."""
    page = await tokens.list(caller.workspace_id, page_size, page_token)
    return TokenPage([TokenView.of(record) for record in page.items], page.next_page_token)


@post("/api/tokens", status_code=201, opt={SHOWN_ONCE: True})
async def create_token(
    data: JSONBody[NewToken], caller: NamedDependency[Principal], tokens: NamedDependency[ApiTokens]
) -> CreatedToken:
    """Make an API token. It is shown only in this answer. One made by a token has no more scopes than its maker."""
    record, token = await tokens.create(caller, data.terms())
    return CreatedToken(**msgspec.structs.asdict(TokenView.of(record)), token=token.reveal())


@delete("/api/tokens/{token_id:str}", status_code=204)
async def revoke_token(
    token_id: FromPath[str],
    caller: NamedDependency[Principal],
    tokens: NamedDependency[ApiTokens],
    hub: NamedDependency[Hub],
) -> None:
    """Revoke an API token: it lets nobody in any more, and its sockets close."""
    hub.end_credential(await tokens.revoke(caller.workspace_id, token_id))


ROUTES: Final = Router("/", route_handlers=[list_tokens, create_token, revoke_token], tags=["API tokens"])
