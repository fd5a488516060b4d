"""Ids: UUIDv7, so that they sort by time of making."""

import uuid

from uuid_utils import uuid7

from services.common.errors import NotFound


def new_id() -> str:
    return str(uuid7())


def parse_id(text: str, what: str) -> str:
    """The canonical form of a UUID. A text that is none can name nothing that exists, hence NotFound."""
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise NotFound(what=what) from error
