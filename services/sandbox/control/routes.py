"""The addresses of control."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from services.sandbox.control import accounts, deeds, faults, state
from services.sandbox.control.requests import check_token

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/state", state.state),
    ("POST", "/reset", state.reset),
    ("GET", "/settings", state.settings),
    ("PUT", "/settings", state.change_settings),
    ("POST", "/clock", state.clock),
    ("GET", "/calls", state.calls),
    ("DELETE", "/calls", state.clear_calls),
    ("GET", "/mails", state.mails),
    ("POST", "/accounts", accounts.create),
    ("GET", "/accounts", accounts.list_),
    ("GET", "/accounts/{account}", accounts.retrieve),
    ("POST", "/accounts/{account}/restricted_keys", accounts.restricted_key),
    ("POST", "/keys/revoke", accounts.revoke),
    ("GET", "/accounts/{account}/invoices", state.invoices),
    ("GET", "/accounts/{account}/customers", state.customers),
    ("GET", "/accounts/{account}/events", state.events),
    ("GET", "/accounts/{account}/webhook_endpoints", state.webhook_endpoints),
    ("GET", "/accounts/{account}/deliveries", deeds.deliveries),
    ("POST", "/faults", faults.add),
    ("GET", "/faults", faults.list_),
    ("DELETE", "/faults", faults.clear),
    ("GET", "/faults/{fault}", faults.retrieve),
    ("DELETE", "/faults/{fault}", faults.remove),
    ("POST", "/faults/{fault}/release", faults.release),
    ("POST", "/webhook_faults", faults.add_webhook),
    ("GET", "/webhook_faults", faults.list_webhook),
    ("DELETE", "/webhook_faults", faults.clear_webhook),
    ("GET", "/webhook_faults/{fault}", faults.retrieve_webhook),
    ("DELETE", "/webhook_faults/{fault}", faults.remove_webhook),
    ("POST", "/webhook_faults/{fault}/release", faults.release_webhook),
    ("GET", "/deliveries/idle", deeds.wait_until_idle),
    ("POST", "/deliveries/retry", deeds.retry),
    ("POST", "/events/{event}/resend", deeds.resend),
    ("POST", "/pay", deeds.pay_many),
    ("POST", "/invoices/{invoice}/{deed}", deeds.do),
]


def add_control(app: web.Application) -> None:
    app.router.add_get("/_sandbox/health", state.health)
    for method, path, handler in CONTROL_ROUTES:
        app.router.add_route(method, f"/_sandbox{path}", _guarded(handler))


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        check_token(request)
        return await handler(request)

    return guarded
