"""Reading a control request; its mistakes are answered with 400 and a sentence."""

import hmac
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from services.sandbox.sandbox import Sandbox
from services.sandbox.store import Dataset

SANDBOX: Final = web.AppKey("sandbox", Sandbox)

Body = TypeVar("Body")


def sandbox_of(request: web.Request) -> Sandbox:
    return request.app[SANDBOX]


def answer(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def problem(status: int, message: str) -> web.HTTPException:
    kinds = {400: web.HTTPBadRequest, 401: web.HTTPUnauthorized, 404: web.HTTPNotFound, 409: web.HTTPConflict}
    return kinds[status](body=msgspec.json.encode({"message": message}), content_type="application/json")


async def read(request: web.Request, kind: type[Body]) -> Body:
    raw = await request.read()
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise problem(400, f"The body does not fit: {error}.") from error


def number(request: web.Request, name: str, default: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise problem(400, f"The parameter {name} must be a number.") from None


def dataset_of(request: web.Request, account: str | None = None) -> Dataset:
    """The account of the path or the parameter, in test mode unless `livemode=true` is asked for."""
    account = account or request.match_info.get("account") or request.query.get("account", "")
    sandbox = sandbox_of(request)
    if account not in sandbox.store.accounts:
        raise problem(404, f"There is no account '{account}' in this sandbox.")
    return sandbox.store.dataset(account, livemode=request.query.get("livemode") == "true")


def check_token(request: web.Request) -> None:
    """With SANDBOX_CONTROL_TOKEN set, control needs it as a bearer token."""
    wanted = sandbox_of(request).config.control_token
    if wanted is None:
        return
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise problem(401, "The control address needs the bearer token of SANDBOX_CONTROL_TOKEN.")
