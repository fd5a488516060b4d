"""Unguessable texts that let somebody in: session cookies and API tokens. Stored as hashes only."""

import hashlib
import secrets
from typing import Final

from services.common.secret import Secret

TOKEN_PREFIX: Final = "showbill_"  # noqa: S105  # the beginning of every token, no token
"""By this shape logs, error texts and secret scanners recognise a token."""


def new_session_token() -> Secret:
    return Secret(secrets.token_urlsafe(32))


def new_api_token() -> Secret:
    return Secret(TOKEN_PREFIX + secrets.token_urlsafe(32))


def fingerprint(token: str) -> bytes:
    """What is stored. A plain hash will do: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: Secret) -> str:
    """What the list of tokens shows: enough to tell them apart, too little to guess."""
    return f"{TOKEN_PREFIX}…{token.reveal()[-4:]}"
