"""A gRPC service whose answers a test writes, with the real boundary before it: tokens, errors, request ids."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.common.context import Identity, identity, request_id
from services.common.server import Access, Boundary, GrpcServer
from services.common.tokens import PublicKeys, Verifier

SERVICE_WIDE = frozenset(("VerifyWebhooks", "ApplyProviderEvents", "ResolvePayLink"))


@dataclass(frozen=True)
class Call:
    """One call that came in."""

    request: Any
    identity: Identity
    request_id: str


def _served(method: Any) -> bool:
    """Streams that go on for good have nothing to be scripted."""
    return not method.server_streaming or method.name == "StreamVerification"


class Scripted:
    """One server process's worth of services."""

    def __init__(self, name: str, services: list[ServiceDescriptor], keys: PublicKeys) -> None:
        self._name = name
        self._services = services
        self._keys = keys
        self._server: GrpcServer | None = None
        self._answers: dict[str, Callable[[Any], Any]] = {}
        self.calls: defaultdict[str, list[Call]] = defaultdict(list)
        """By the method's name."""

    def script(self, method: str, answer: Any) -> None:
        """A message, an exception to raise, or a function (plain or async) of the request that gives a message."""
        self._answers[method] = answer if callable(answer) else lambda _request: answer

    def answer_of(self, method: str) -> Callable[[Any], Any]:
        """What a method is scripted to answer."""
        return self._answers[method]

    def reset(self) -> None:
        self._answers.clear()
        self.calls.clear()

    def last(self, method: str) -> Any:
        """The request of the last call of a method."""
        return self.calls[method][-1].request

    async def start(self, listen: str) -> None:
        access = {
            f"/{service.full_name}/{method.name}": Access(frozenset({"gateway"}), method.name in SERVICE_WIDE)
            for service in self._services
            for method in service.methods
        }
        names = tuple(service.full_name for service in self._services)
        self._server = GrpcServer(listen, Boundary(Verifier(self._name, self._keys), access), names)
        for service in self._services:
            handlers = {method.name: self._handler(method) for method in service.methods if _served(method)}
            generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
            self._server.server.add_generic_rpc_handlers((generic,))
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0)
            self._server = None

    def _handler(self, method: Any) -> Any:
        message_class: Callable[[Any], Any] = GetMessageClass
        request_class, answer_class = message_class(method.input_type), message_class(method.output_type)

        async def serve(request: Message, _context: Any) -> Any:
            self.calls[method.name].append(Call(request, identity(), request_id()))
            return await answer_to(request)

        async def answer_to(request: Message) -> Any:
            answer = self._answers.get(method.name, lambda _request: answer_class())(request)
            if hasattr(answer, "__await__"):
                answer = await answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def serve_stream(requests: AsyncIterator[Message], _context: Any) -> Any:
            """The answer is scripted for all batches as one; the calls hold each by itself."""
            whole = request_class()
            async for request in requests:
                self.calls[method.name].append(Call(request, identity(), request_id()))
                whole.MergeFrom(request)
            return await answer_to(whole)

        async def serve_parts(request: Message, _context: Any) -> AsyncIterator[Any]:
            """The answer is a list: messages, and perhaps an exception as the last."""
            self.calls[method.name].append(Call(request, identity(), request_id()))
            for part in await answer_to(request):
                if isinstance(part, Exception):
                    raise part
                yield part

        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(
                serve_parts,
                request_deserializer=request_class.FromString,
                response_serializer=answer_class.SerializeToString,
            )
        wrap = grpc.stream_unary_rpc_method_handler if method.client_streaming else grpc.unary_unary_rpc_method_handler
        return wrap(
            serve_stream if method.client_streaming else serve,
            request_deserializer=request_class.FromString,
            response_serializer=answer_class.SerializeToString,
        )
