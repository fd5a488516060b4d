"""API tokens as the page offers them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.gateway.identity.principal import SCOPES as ALLOWED
from services.gateway.identity.principal import Role, Scope
from services.gateway.identity.tokens import NewTokenTerms

SCOPES: Final = (
    (Scope.READ.value, "Read", "Shows, claims, invoices, connections, members"),
    (Scope.SHOWS.value, "Write shows", "Make shows, import items, claims and buyers"),
    (Scope.INVOICES.value, "Write invoices", "Generate, send, void and retry invoices, mark what was paid elsewhere"),
    (Scope.INTEGRATIONS.value, "Connections", "Connect and disconnect providers, replace keys, read their audit"),
    (Scope.WORKSPACE.value, "People and tokens", "Members, invitations, API tokens"),
)
LIFETIMES: Final = ((30, "30 days"), (90, "90 days"), (365, "A year"), (0, "Until it is revoked"))


def terms_of(name: str, scopes: Sequence[str], days: str) -> NewTokenTerms:
    """What the form asks for. An owner's scopes bring an owner's role; what is no scope is left out."""
    chosen = [scope for scope in Scope if scope.value in scopes]
    role = Role.OPERATOR if set(chosen) <= ALLOWED[Role.OPERATOR] else Role.OWNER
    lifetime = next((length for length, _ in LIFETIMES if str(length) == days), LIFETIMES[0][0])
    ends = datetime.now(UTC) + timedelta(days=lifetime) if lifetime else None
    return NewTokenTerms(name, role, chosen, ends)
