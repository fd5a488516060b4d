"""The invoicing service: proofs of shows, and how payments are heard of."""

from collections.abc import AsyncIterator
from typing import Final

import structlog

from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.status import RemoteError
from services.gateway.backends import verification_views as views
from services.gateway.schemas.verification import (
    HearingView,
    VerificationProgressView,
    VerificationRowsView,
    VerificationView,
)
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub

log = structlog.get_logger()

_VERIFYING: Final = 58.0
"""Seconds: the provider is listed, and what differs is read again."""

Part = VerificationProgressView | VerificationRowsView | VerificationView


class Verification:
    """What is known of the caller's workspace."""

    def __init__(self, client: GrpcClient) -> None:
        self._client = client
        self._stub = InvoicesServiceStub(client.channel)

    async def verify(self, caller: Identity, show_id: str) -> VerificationView:
        request = pb.VerifyShowRequest(show_id=show_id)
        return views.verification(await self._client.call(self._stub.VerifyShow, request, caller, timeout=_VERIFYING))

    async def follow(self, caller: Identity, show_id: str) -> AsyncIterator[Part]:
        """The parts of the proof as they come. Raises what the first of them raises, later RemoteError in between."""
        request = pb.StreamVerificationRequest(show_id=show_id)
        parts = self._client.stream(self._stub.StreamVerification, request, caller)
        first = await anext(parts)

        async def told() -> AsyncIterator[Part]:
            yield _part(first)
            async for part in parts:
                yield _part(part)

        return told()

    async def hearing(self, caller: Identity, provider: str, *, counts: bool = True) -> HearingView:
        """Without `counts` they are 0."""
        request = pb.GetHearingRequest(provider=provider, with_counts=counts)
        return views.hearing(await self._client.call(self._stub.GetHearing, request, caller))

    async def hearing_if_known(self, caller: Identity, provider: str, *, counts: bool = False) -> HearingView | None:
        """For a page that is of use without it."""
        try:
            return await self.hearing(caller, provider, counts=counts)
        except RemoteError as error:
            log.info("how payments are heard of is not known", provider=provider, reason=error.reason)
            return None


def _part(answer: pb.StreamVerificationResponse) -> Part:
    match answer.WhichOneof("part"):
        case "progress":
            return views.progress(answer.progress)
        case "rows":
            return views.rows(answer.rows)
        case _:
            return views.verification(answer.result)
