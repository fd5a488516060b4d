"""A gRPC server with one guarded boundary: request id, service token, deadline, error mapping, one log line a call."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast

import asyncpg
import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.common import context as call_context
from services.common import tracing
from services.common.errors import (
    CannotStart,
    Forbidden,
    InvalidRequest,
    ShowbillError,
    TimedOut,
    Unavailable,
    Unimplemented,
)
from services.common.metrics import RPC_SECONDS
from services.common.status import encode
from services.common.tokens import BadServiceToken, Verifier

log = structlog.get_logger()

LONGEST_CALL: Final = 60.0
"""Seconds that a unary call may take where its caller sets no earlier deadline."""
_OPEN: Final = ("/grpc.health.v1.", "/grpc.reflection.")
_DATABASE_AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg raises when the server was killed in mid-answer
    asyncpg.TooManyConnectionsError,
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class Access:
    """Which services may call a method, and whether it takes a service-wide token."""

    callers: frozenset[str]
    service_wide: bool = False


class CallNotAllowed(Forbidden):
    """The service {service} may not call {method}."""

    reason = "CALL_NOT_ALLOWED"


Handler = Callable[[Any, Any], Any]
if TYPE_CHECKING:
    MethodHandler: TypeAlias = grpc.RpcMethodHandler[Any, Any] | None
else:  # generic in the stubs alone
    MethodHandler = grpc.RpcMethodHandler


class Boundary(grpc.aio.ServerInterceptor):
    """Lets in who may come in, and turns what a method raises into a status by the one table."""

    def __init__(self, verifier: Verifier, access: Mapping[str, Access]) -> None:
        self._verifier = verifier
        self._access = access

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[MethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> MethodHandler:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN):
            return handler
        metadata = {key: value for key, value in handler_call_details.invocation_metadata if isinstance(value, str)}
        coders = (handler.request_deserializer, handler.response_serializer)
        if handler.response_streaming:
            wrap = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            streaming = handler.stream_stream if handler.request_streaming else handler.unary_stream
            return wrap(self._stream(cast(Handler, streaming), method, metadata), *coders)
        wrap = (
            grpc.stream_unary_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
        )
        unary = handler.stream_unary if handler.request_streaming else handler.unary_unary
        limit = None if handler.request_streaming else LONGEST_CALL
        return wrap(self._unary(cast(Handler, unary), method, metadata, limit), *coders)

    def _admit(self, method: str, metadata: dict[str, str]) -> None:
        call_context.bind_request(metadata.get(call_context.REQUEST_ID_HEADER))
        call_context.bind_method(method)
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadServiceToken
        caller = self._verifier.verify(token)
        access = self._access.get(method)
        if access is None or caller.service not in access.callers:
            raise CallNotAllowed(service=caller.service, method=method)
        if not caller.identity.workspace_id and not access.service_wide:
            raise BadServiceToken
        call_context.bind_identity(caller.identity)

    def _unary(self, inner: Handler, method: str, metadata: dict[str, str], limit: float | None) -> Handler:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            began = time.perf_counter()
            with tracing.span(method, tracing.SERVER, metadata) as step:
                try:
                    self._admit(method, metadata)
                    _name(step)
                    async with asyncio.timeout(limit):
                        answer = await inner(request, context)
                except Exception as error:  # noqa: BLE001  # the boundary: everything becomes a status
                    await _abort(context, method, error, began, step)
                _done(method, "OK", began)
            return answer

        return call

    def _stream(self, inner: Handler, method: str, metadata: dict[str, str]) -> Handler:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            began = time.perf_counter()
            with tracing.stream_span(method, metadata) as step:
                try:
                    self._admit(method, metadata)
                    _name(step)
                    async for answer in inner(request, context):
                        yield answer
                except Exception as error:  # noqa: BLE001  # the boundary: everything becomes a status
                    await _abort(context, method, error, began, step)
                _done(method, "OK", began)

        return call


def _name(step: tracing.Span) -> None:
    if step.is_recording():
        step.set_attribute("showbill.request_id", call_context.request_id())
        step.set_attribute("showbill.workspace_id", call_context.identity().workspace_id)


def _done(method: str, code: str, began: float) -> None:
    RPC_SECONDS.labels(method, code).observe(time.perf_counter() - began)
    log.info("rpc", method=method, code=code, ms=_ms(began))


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def translate(error: Exception) -> ShowbillError:
    """Our error for whatever was raised; what nobody foresaw becomes the plain ShowbillError, kind INTERNAL."""
    if isinstance(error, ShowbillError):
        return error
    if isinstance(error, NotImplementedError):
        return Unimplemented()
    if isinstance(error, TimeoutError):
        return TimedOut()
    if isinstance(error, _DATABASE_AWAY):
        return Unavailable()
    if isinstance(error, asyncpg.DataError):
        return InvalidRequest("A value of the request is out of range. Correct it and send the request again.")
    return ShowbillError()


async def _abort(
    context: grpc.aio.ServicerContext[Any, Any], method: str, error: Exception, began: float, step: tracing.Span
) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    answer = translate(error)
    code, message, trailing = encode(answer)
    RPC_SECONDS.labels(method, code.name).observe(time.perf_counter() - began)
    tracing.failed(step, code.name)
    if answer.reason == "INTERNAL" or answer.reason == "UNAVAILABLE":
        log.error("rpc failed", method=method, code=code.name, ms=_ms(began), exc_info=error)
    else:
        log.info("rpc", method=method, code=code.name, reason=answer.reason, ms=_ms(began))
    await context.abort(code, message, trailing)


class GrpcServer:
    """The server with health and reflection. Register servicers on `.server`, then start."""

    def __init__(
        self,
        listen: str,
        boundary: Boundary,
        service_names: tuple[str, ...],
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self.server = grpc.aio.server(
            interceptors=[boundary],
            options=[
                ("grpc.so_reuseport", 0),  # a taken port must be an error, not a silent share
                ("grpc.max_receive_message_length", 16 * 1024 * 1024),
                ("grpc.max_send_message_length", 16 * 1024 * 1024),
            ],
        )
        self._health = health.aio.HealthServicer()
        self._names = ("", *service_names)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        reflection.enable_server_reflection((*service_names, health.SERVICE_NAME, reflection.SERVICE_NAME), self.server)
        self.port = self._listen(listen, credentials)

    def _listen(self, listen: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials:
                return self.server.add_secure_port(listen, credentials)
            return self.server.add_insecure_port(listen)
        except RuntimeError as error:
            raise CannotStart(
                f"Nobody can listen on {listen}: the port is taken, or that is no host:port of this machine. "
                "Choose another with GRPC_LISTEN."
            ) from error

    async def start(self) -> None:
        await self.server.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        log.info("listening", port=self.port)

    async def stop(self, grace: float = 5.0) -> None:
        """Says NOT_SERVING, lets calls under way finish within the grace (seconds), then ends."""
        await self._health.enter_graceful_shutdown()
        await self.server.stop(grace)
