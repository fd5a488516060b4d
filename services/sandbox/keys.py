"""Who asks: the key of the Authorization header, its account, its mode, its permissions."""

import base64
import binascii
from collections.abc import Mapping

from services.sandbox import errors
from services.sandbox.records import ApiKey
from services.sandbox.store import Store


def authenticate(store: Store, headers: Mapping[str, str]) -> ApiKey:
    """The key by Bearer or Basic. Raises Stripe's 401, or 403 for a publishable key."""
    value = _presented(headers.get("Authorization", ""))
    if not value:
        raise errors.no_key()
    key = store.keys.get(value)
    if key is None:
        raise errors.invalid_key(value)
    if key.revoked:
        raise errors.expired_key(value)
    if key.kind == "publishable":
        raise errors.publishable_key()
    account = headers.get("Stripe-Account")
    if account and account != key.account:
        raise errors.no_access_to_account(value, account)
    return key


def _presented(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def require(key: ApiKey, permission: str) -> None:
    """A restricted key needs the permission; writing includes reading. Checked before any parameter is."""
    if key.kind != "restricted" or permission in key.permissions:
        return
    if permission.endswith("_read") and permission.removesuffix("_read") + "_write" in key.permissions:
        return
    raise errors.missing_permission(key.value, key.account, permission)
