"""From what a provider says of a person to their account here."""

import structlog

from services.common.db import Pool, transaction
from services.common.errors import Forbidden
from services.gateway.identity.invitations import Invitations, OpenInvitation
from services.gateway.identity.oidc import Confirmed
from services.gateway.identity.places import forget_places
from services.gateway.identity.sessions import OpenedSession, Sessions
from services.gateway.identity.visitor import Visitor
from services.gateway.queries import SQL

log = structlog.get_logger()


class EmailNotVerified(Forbidden):
    """Your sign-in provider has not verified your e-mail address. Verify it there, then sign in again."""

    reason = "EMAIL_NOT_VERIFIED"


class NotInvited(Forbidden):
    """{email} belongs to no workspace here. Ask an owner for an invitation, and open its link."""

    reason = "NOT_INVITED"


class AnothersInvitation(Forbidden):
    """This invitation is for {invited}, and you signed in as {email}. Sign in as the person invited."""

    reason = "ANOTHERS_INVITATION"


class KnownPeople:
    """Signs in people whom a provider has confirmed."""

    def __init__(self, pool: Pool, sessions: Sessions, invitations: Invitations) -> None:
        self._pool = pool
        self._sessions = sessions
        self._invitations = invitations

    async def sign_in(self, person: Confirmed, visitor: Visitor) -> OpenedSession:
        """Raises EmailNotVerified, NotInvited, AnothersInvitation, InvitationGone."""
        invitation = await self._invitation(person)
        known = await self._pool.fetchrow(SQL["find_identity"], person.issuer, person.subject)
        user_id = str(known["user_id"]) if known else await self._by_address(person)
        if invitation is not None:
            opened = await self._invitations.join(invitation, user_id, visitor, name=person.name)
            if user_id is None:
                await self._pool.execute(SQL["link_identity"], person.issuer, person.subject, opened.principal.user_id)
            return opened
        workspace = await self._pool.fetchval(SQL["workspace_of_user"], user_id) if user_id else None
        if user_id is None or workspace is None:
            raise NotInvited(email=person.email)
        return await self._sessions.open(user_id, str(workspace), visitor)

    async def _invitation(self, person: Confirmed) -> OpenInvitation | None:
        if person.invitation_token_hash is None:
            return None
        invitation = await self._invitations.find_by_hash(person.invitation_token_hash)
        if not person.email_verified:
            raise EmailNotVerified
        if not await self._pool.fetchval(SQL["is_same_address"], invitation.email, person.email):
            raise AnothersInvitation(invited=invitation.email, email=person.email)
        return invitation

    async def _by_address(self, person: Confirmed) -> str | None:
        """The account of a verified address becomes this person's, for good.

        Whoever made the account may have made it up: an invitation's link shows no address to be one's own. So
        its password and sessions end; the person may set another password.
        """
        if not person.email or not person.email_verified:
            raise EmailNotVerified
        user = await self._pool.fetchrow(SQL["find_user"], person.email)
        if user is None or not await self._pool.fetchval(SQL["is_same_address"], user["email"], person.email):
            return None
        async with transaction(self._pool) as connection:
            await connection.execute(SQL["link_identity"], person.issuer, person.subject, user["user_id"])
            await connection.execute(SQL["drop_password"], user["user_id"])
            await connection.execute(SQL["end_sessions_of_user"], user["user_id"], None)
            await forget_places(connection, user["user_id"])
        log.info("account linked", user=str(user["user_id"]))
        return str(user["user_id"])
