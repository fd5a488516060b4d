"""Pages by key: an opaque token holds the last key of the page before."""

import base64
import binascii

import msgspec

from services.common.errors import Fault, InvalidRequest


def page_size(asked: int, usual: int, largest: int) -> int:
    """The size to use: the usual one for 0, never more than the largest. Raises InvalidRequest below 0."""
    if asked < 0:
        fault = Fault("page_size", "The page size must not be negative. Leave it out for the usual one.")
        raise InvalidRequest(fault.problem, faults=[fault])
    return min(asked or usual, largest)


def encode_token(*key: str | int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def decode_token(token: str, kinds: tuple[type, ...]) -> tuple[str | int, ...] | None:
    """The key in a token, or None for the first page. Raises InvalidRequest for a token that we did not make."""
    if not token:
        return None
    fault = Fault("page_token", "The page token is not one of ours. Start again without it.")
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(token), type=list[str | int])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest(fault.problem, faults=[fault]) from error
    if len(key) != len(kinds) or not all(isinstance(part, kind) for part, kind in zip(key, kinds, strict=True)):
        raise InvalidRequest(fault.problem, faults=[fault])
    return tuple(key)
