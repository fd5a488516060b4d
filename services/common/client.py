"""Calls to the other gRPC services: service token, request id, deadline and error mapping in one place."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, TypeVar

import grpc
from grpc_health.v1 import health_pb2

from services.common import tracing
from services.common.context import REQUEST_ID_HEADER, Identity, request_id
from services.common.status import decode
from services.common.tokens import Signer

Request = TypeVar("Request")
Response = TypeVar("Response")

_OPTIONS: Final = [
    # Back within half a second of the other side's return, not after gRPC's default of two.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
]


class GrpcClient:
    """A channel to one service, calling in the name of another."""

    def __init__(
        self, address: str, audience: str, signer: Signer, credentials: grpc.ChannelCredentials | None = None
    ) -> None:
        self.channel = (
            grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
            if credentials
            else grpc.aio.insecure_channel(address, options=_OPTIONS)
        )
        self._audience = audience
        self._signer = signer

    def _metadata(self, identity: Identity) -> tuple[tuple[str, str], ...]:
        metadata = {"authorization": "Bearer " + self._signer.mint(self._audience, identity)}
        if current := request_id():
            metadata[REQUEST_ID_HEADER] = current
        tracing.carry(metadata)
        return tuple(metadata.items())

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        identity: Identity,
        *,
        timeout: float = 5.0,
        wait_for_ready: bool = False,
    ) -> Response:
        """One unary call with a deadline in seconds. Raises RemoteError."""
        try:
            return await method(
                request, timeout=timeout, metadata=self._metadata(identity), wait_for_ready=wait_for_ready
            )
        except grpc.aio.AioRpcError as error:
            raise decode(error) from error

    async def stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        identity: Identity,
    ) -> AsyncIterator[Response]:
        """One server-streaming call. Raises RemoteError."""
        try:
            async for answer in method(request, metadata=self._metadata(identity)):
                yield answer
        except grpc.aio.AioRpcError as error:
            raise decode(error) from error

    async def feed(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[Request, Response],
        requests: AsyncIterator[Request],
        identity: Identity,
        *,
        timeout: float | None = None,
    ) -> Response:
        """One client-streaming call, which asks for the next request when the other side has room for it.

        Raises RemoteError, and whatever `requests` raises: the call is cut then.
        """
        call = method(timeout=timeout, metadata=self._metadata(identity))

        async def pump() -> None:
            async for request in requests:
                await call.write(request)
            await call.done_writing()

        pumping = asyncio.create_task(pump())

        def ended(_call: object) -> None:
            pumping.cancel()  # perhaps before its time: the answer says why

        call.add_done_callback(ended)
        try:
            await asyncio.wait((pumping,))
            problem = None if pumping.cancelled() else pumping.exception()
            if problem and not call.done():
                raise problem
            return await call
        except grpc.aio.AioRpcError as error:
            raise decode(error) from error
        finally:
            pumping.cancel()
            call.cancel()

    async def serving(self, timeout: float) -> bool:
        """Whether the other side says, within so many seconds, that it serves."""
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        await self.channel.close(grace=1.0)
