"""Accounts and keys."""

import msgspec
from aiohttp import web

from services.sandbox import ids
from services.sandbox.control.requests import answer, problem, read, sandbox_of
from services.sandbox.demo import NewAccount, create_account
from services.sandbox.records import Account, ApiKey, Json
from services.sandbox.routes import ROUTES
from services.sandbox.sandbox import Sandbox

PERMISSIONS = frozenset(route.permission for route in ROUTES) | {
    route.permission.removesuffix("_read") + "_write" for route in ROUTES if route.permission.endswith("_read")
}


class RestrictedKey(msgspec.Struct, forbid_unknown_fields=True):
    permissions: list[str]
    livemode: bool = False


class KeyToRevoke(msgspec.Struct, forbid_unknown_fields=True):
    key: str


def shown(sandbox: Sandbox, account: Account) -> Json:
    keys: Json = {}
    for key in sandbox.store.keys.values():
        if key.account == account.id and key.kind != "restricted" and not key.revoked:
            keys[f"{'sk' if key.kind == 'secret' else 'pk'}_{'live' if key.livemode else 'test'}"] = key.value
    return {**msgspec.to_builtins(account), "keys": keys}


async def create(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    wanted = await read(request, NewAccount)
    if wanted.id in sandbox.store.accounts:
        raise problem(409, f"The account '{wanted.id}' exists already.")
    taken = [prefix for prefix, value in wanted.keys.items() if value in sandbox.store.keys]
    if taken:
        raise problem(409, f"The key given for {taken[0]} belongs to another account.")
    account = create_account(sandbox.store, wanted)
    sandbox.flush()
    return answer(shown(sandbox, account), 201)


async def list_(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    return answer({"accounts": [shown(sandbox, account) for account in sandbox.store.accounts.values()]})


async def retrieve(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    return answer(shown(sandbox, _account(request)))


async def restricted_key(request: web.Request) -> web.Response:
    sandbox, account = sandbox_of(request), _account(request)
    wanted = await read(request, RestrictedKey)
    unknown = sorted(set(wanted.permissions) - PERMISSIONS)
    if unknown:
        raise problem(400, f"Unknown permission '{unknown[0]}'. There are: {', '.join(sorted(PERMISSIONS))}.")
    prefix = "rk_live" if wanted.livemode else "rk_test"
    key = ApiKey(
        value=ids.api_key(prefix, account.id),
        account=account.id,
        kind="restricted",
        livemode=wanted.livemode,
        permissions=wanted.permissions,
    )
    sandbox.store.save_key(key)
    sandbox.flush()
    return answer({"key": key.value, "permissions": key.permissions, "livemode": key.livemode}, 201)


async def revoke(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    wanted = await read(request, KeyToRevoke)
    key = sandbox.store.keys.get(wanted.key)
    if key is None:
        raise problem(404, "This sandbox does not know that key.")
    key.revoked = True
    sandbox.store.save_key(key)
    sandbox.flush()
    return answer({"account": key.account, "last4": key.last4, "revoked": True})


def _account(request: web.Request) -> Account:
    account = sandbox_of(request).store.accounts.get(request.match_info["account"])
    if account is None:
        raise problem(404, f"There is no account '{request.match_info['account']}' in this sandbox.")
    return account
