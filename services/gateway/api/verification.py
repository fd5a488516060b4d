"""Proof of a show, and how payments are heard of."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from services.common.context import request_id
from services.common.errors import ShowbillError
from services.gateway.backends.verification import Part, Verification
from services.gateway.errors import problem_of
from services.gateway.identity.principal import Principal
from services.gateway.schemas.verification import (
    HearingView,
    VerificationProgressView,
    VerificationRowsView,
    VerificationView,
)

LINES: Final = "application/x-ndjson"
_KEYS: Final = {VerificationProgressView: "progress", VerificationRowsView: "rows", VerificationView: "result"}


@post("/api/shows/{show_id:str}/verify", status_code=200)
async def verify_show(
    show_id: FromPath[str], caller: NamedDependency[Principal], verification: NamedDependency[Verification]
) -> VerificationView:
    """List the provider and prove, or disprove, that each buyer has exactly the right invoices. Changes nothing.

    Enough for some thousand buyers: what there was no time for is `unchecked`. A larger show is proven by the stream at
    `/api/shows/{showId}/verification`.
    """
    return await verification.verify(caller.identity, show_id)


@get("/api/shows/{show_id:str}/verification", media_type=LINES)
async def follow_verification(
    show_id: FromPath[str], caller: NamedDependency[Principal], verification: NamedDependency[Verification]
) -> Stream:
    """The same for a show of any size, as JSON lines while it goes on.

    First lines of `progress`, then those of `rows` with findings and buyers, at last `result`, with the verdict and
    without the rows. A line of `problem` instead, or no `result`, proves nothing. Changes nothing.
    """
    return Stream(_lines(await verification.follow(caller.identity, show_id)), media_type=LINES)


async def _lines(parts: AsyncIterator[Part]) -> AsyncIterator[bytes]:
    try:
        async for part in parts:
            yield _line(_KEYS[type(part)], part)
    except ShowbillError as error:
        yield _line("problem", problem_of(error, request_id()))


def _line(key: str, value: object) -> bytes:
    return msgspec.json.encode({key: value}) + b"\n"


@get("/api/integrations/{provider:str}/hearing")
async def get_hearing(
    provider: FromPath[str], caller: NamedDependency[Principal], verification: NamedDependency[Verification]
) -> HearingView:
    """How payments are heard of, when that last happened, and whether a reading of what was missed failed."""
    return await verification.hearing(caller.identity, provider)


ROUTES: Final = Router("/", route_handlers=[verify_show, follow_verification, get_hearing], tags=["Verification"])
