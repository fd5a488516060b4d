"""A show's claims, and its file of claims."""

from functools import partial
from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from services.gateway.api.items import LARGEST_BODY
from services.gateway.api.parameters import AllOrNothing, PageSize, PageToken
from services.gateway.backends.shows import BATCH, Shows
from services.gateway.idempotency import SAME_AGAIN
from services.gateway.identity.principal import Principal
from services.gateway.imports.claims import CLAIMS
from services.gateway.imports.taking import take_file
from services.gateway.imports.upload import LARGEST_UPLOAD, uploaded_file
from services.gateway.schemas.shows import (
    ClaimPage,
    ClaimsBody,
    ClaimsTaken,
    ClaimStatus,
    ImportReport,
    RejectedClaim,
)


@get("/api/shows/{show_id:str}/claims")
async def list_claims(
    show_id: FromPath[str],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    page_size: PageSize = 0,
    page_token: PageToken = "",
    status: Annotated[ClaimStatus | None, QueryParameter(description="Only claims in this status.")] = None,
) -> ClaimPage:
    """The show's claims, oldest first."""
    return await shows.list_claims(caller.identity, show_id, page_size, page_token, status)


@post("/api/shows/{show_id:str}/claims", status_code=200, request_max_body_size=LARGEST_BODY)
async def take_claims(
    show_id: FromPath[str],
    data: JSONBody[ClaimsBody],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
) -> ClaimsTaken:
    """Take claims. The same claim again changes nothing; one that cannot be taken is named, the others are taken."""
    taken = ClaimsTaken()
    for start in range(0, len(data.claims) or 1, BATCH):
        part = await shows.take_claims(caller.identity, show_id, data.claims[start : start + BATCH])
        taken.created += part.created
        taken.updated += part.updated
        taken.unchanged += part.unchanged
        taken.rejected += [RejectedClaim(start + one.index, one.claim_id, one.reason) for one in part.rejected]
    return taken


@post(
    "/api/shows/{show_id:str}/imports/claims",
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD,
    opt={SAME_AGAIN: True},
)
async def import_claims_file(
    show_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Principal],
    shows: NamedDependency[Shows],
    all_or_nothing: AllOrNothing = False,
) -> ImportReport:
    """Take claims from a CSV file (text/csv, or the file of a form) of at most 50 MB.

    Columns: `claim_id,platform,platform_user_id,item_number,status`, and if wanted
    `user_handle,display_name,quantity,claimed_at,sequence,email`, in any order and case. Good lines are taken and
    bad ones named, unless `allOrNothing` is asked for. Sending the file again changes nothing.
    """
    async with uploaded_file(request) as file:
        send = partial(shows.stream_claims, caller.identity, show_id)
        return await take_file(file, CLAIMS, send, all_or_none=all_or_nothing)


ROUTES: Final = Router("/", route_handlers=[list_claims, take_claims, import_claims_file], tags=["Claims"])
