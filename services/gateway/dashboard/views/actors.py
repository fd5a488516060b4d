"""Who did something, for people to read."""

from collections.abc import Mapping, Sequence

from services.gateway.identity.members import MemberRecord
from services.gateway.identity.tokens import TokenRecord

Names = Mapping[str, str]
"""By actor, for example `user:…`."""


def names_of(members: Sequence[MemberRecord], tokens: Sequence[TokenRecord] = ()) -> Names:
    people = {f"user:{one.user_id}": one.name or one.email for one in members}
    return people | {f"token:{one.id}": f"API token “{one.name}”" for one in tokens}


def name_of(actor: str, names: Names) -> str:
    """Somebody who left the workspace has no name any more, nor has a token that was revoked or may not be seen."""
    if actor in names:
        return names[actor]
    kind, _, what = actor.partition(":")
    known = {"user": "Somebody who left", "token": "An API token", "worker": "Showbill itself"}
    return known.get(kind, what or actor)
