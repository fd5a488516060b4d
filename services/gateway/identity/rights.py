"""An owner's rights, looked at once more by whoever hands them on: they may have ended since the door."""

from services.common.db import Connection
from services.common.errors import Forbidden
from services.gateway.identity.principal import Principal, Way
from services.gateway.queries import SQL


class OwnerNoMore(Forbidden):
    """You are no owner of this workspace any more. Ask an owner."""

    reason = "OWNERS_ONLY"


async def hold_owners_rights(connection: Connection, caller: Principal) -> None:
    """Until the transaction ends, nobody else changes who belongs to the workspace. Raises OwnerNoMore."""
    await connection.execute(SQL["lock_workspace"], caller.workspace_id)
    user, token = (caller.user_id, None) if caller.way is Way.SESSION else (None, caller.credential_id)
    if not await connection.fetchval(SQL["is_still_owner"], caller.workspace_id, user, token):
        raise OwnerNoMore
