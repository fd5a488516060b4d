"""Parameters that many routes share."""

import uuid
from typing import Annotated, Final, TypeAlias

from litestar.params import HeaderParameter, QueryParameter

from services.common.context import Identity

_NAMESPACE: Final = uuid.UUID("6b2f1e0a-5c57-4f0e-9a3c-0f6e8f2d7a11")
"""Under which keys become UUIDs."""

PageSize: TypeAlias = Annotated[
    int, QueryParameter(name="pageSize", ge=0, le=1000, description="Entries of a page; 0 for the usual number.")
]
PageToken: TypeAlias = Annotated[
    str, QueryParameter(name="pageToken", max_length=2000, description="`nextPageToken` of the page before.")
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        max_length=255,
        description="Of the caller's choice: the same key again answers what was made then, and makes nothing.",
    ),
]
AllOrNothing: TypeAlias = Annotated[
    bool,
    QueryParameter(
        name="allOrNothing",
        description="Take nothing at all when one line is wrong; for at most 100,000 lines. The wrong lines are named.",
    ),
]
ValidateOnly: TypeAlias = Annotated[
    bool, QueryParameter(name="validateOnly", description="Only say what would be done, and do nothing.")
]


def request_id_of(key: str | None, caller: Identity, operation: str) -> str:
    """The UUID under which the services behind recognise a call; empty without a key.

    Of workspace, operation and key, as the gateway itself has it: one key may do for each of a hundred invoices.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{caller.workspace_id}\n{operation}\n{key}")) if key else ""
