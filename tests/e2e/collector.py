"""An OpenTelemetry collector that keeps what it is sent, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """The spans that came, by service."""

    def __init__(self) -> None:
        self.url = ""
        self.raw: list[bytes] = []
        self.spans: list[tuple[str, Span]] = []

    async def take(self, request: web.Request) -> web.Response:
        """As OTLP over HTTP sends them; the body is unpacked already."""
        body = await request.read()
        self.raw.append(body)
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in part.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in part.scope_spans for span in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")


@asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()
