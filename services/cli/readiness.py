"""Questions by which the supervisor learns that a server is ready. Each answers no rather than raise."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Probe = Callable[[int], Awaitable[bool]]
ANSWER_SECONDS = 2.0


def http_ok(port: int, path: str) -> Probe:
    """`GET path` answers 200. Written by hand: an HTTP client costs the supervisor more to import than all else."""

    async def probe(_pid: int) -> bool:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        status = await _ask(port, request.encode())
        return status.startswith(b"HTTP/1.1 200 ")

    return probe


async def _ask(port: int, request: bytes) -> bytes:
    """The first line that the server answers; empty when it does not."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError, ValueError):
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                writer.write(request)
                return await reader.readline()
    return b""


def grpc_serving(port: int) -> Probe:
    """The standard health service says SERVING for the whole server."""

    async def probe(_pid: int) -> bool:
        return await _listens(port) and await _serves(f"127.0.0.1:{port}")

    return probe


async def _listens(port: int) -> bool:
    """Spares us gRPC until somebody is there."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


async def _serves(address: str) -> bool:
    import grpc  # takes as long to import as all the rest: the services start meanwhile
    from grpc_health.v1 import health_pb2

    async with grpc.aio.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(service=""), timeout=ANSWER_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
