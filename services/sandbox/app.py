"""The web application: the API, the control address, the pages."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from services.sandbox import pipeline
from services.sandbox.control.requests import SANDBOX
from services.sandbox.control.routes import add_control
from services.sandbox.pages.routes import add_pages
from services.sandbox.routes import ROUTES
from services.sandbox.sandbox import Sandbox

_MAX_BODY: Final = 4 * 1024 * 1024
_PREFIXES: Final = ("/v1/", "/v2/")


def make_app(sandbox: Sandbox) -> web.Application:
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_unknown_urls])
    app[SANDBOX] = sandbox
    for route in ROUTES:
        app.router.add_route(route.method, route.path, pipeline.handler_of(sandbox, route))
    add_control(app)
    add_pages(app)
    app.on_startup.append(_start)
    app.on_cleanup.append(_stop)
    return app


async def _start(app: web.Application) -> None:
    await app[SANDBOX].start()


async def _stop(app: web.Application) -> None:
    await app[SANDBOX].stop()


@web.middleware
async def _unknown_urls(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.match_info.http_exception is not None and request.path.startswith(_PREFIXES):
        return await pipeline.unknown_url(request.app[SANDBOX], request)
    return await handler(request)
