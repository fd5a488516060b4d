"""Who may use which route: one table. A route that is not in it lets nobody in."""

from enum import Enum
from typing import Final

from services.gateway.identity.principal import Scope


class Rule(Enum):
    """What a route asks of whoever comes."""

    OPEN = "open"
    """Nothing."""
    SIGN_IN = "sign-in"
    """Nothing but that a browser sends it from our own pages."""
    PROVIDER = "provider"
    """Nothing here: the signature of the body is the proof, and is checked behind."""
    KNOWN = "known"
    """Any session or token of a workspace, whatever its scopes."""
    PERSON = "person"
    """A session: what belongs to the person, no token may do."""
    READ = "read"
    """A session, or a token that may read."""
    SHOWS = "shows"
    """A session, or a token that may write shows, items, claims and buyers."""
    INVOICES = "invoices"
    """A session, or a token that may make and send invoices."""
    INTEGRATIONS = "integrations"
    """An owner, or an owner's token for the connections to providers."""
    WORKSPACE = "workspace"
    """An owner, or an owner's token for members, invitations and tokens."""

    @property
    def guarded(self) -> bool:
        """Whether it takes a session or token."""
        return self not in (Rule.OPEN, Rule.SIGN_IN, Rule.PROVIDER)

    @property
    def owners_only(self) -> bool:
        return self in (Rule.INTEGRATIONS, Rule.WORKSPACE)

    @property
    def scope(self) -> Scope | None:
        """What a token must be allowed; None where that does not matter."""
        return _SCOPES.get(self)


_SCOPES: Final = {
    Rule.READ: Scope.READ,
    Rule.SHOWS: Scope.SHOWS,
    Rule.INVOICES: Scope.INVOICES,
    Rule.INTEGRATIONS: Scope.INTEGRATIONS,
    Rule.WORKSPACE: Scope.WORKSPACE,
}


SOCKET: Final = "WS"

RULES: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/health"): Rule.OPEN,
    ("GET", "/api/health/live"): Rule.OPEN,
    ("GET", "/api/openapi.json"): Rule.OPEN,
    ("GET", "/api/asyncapi.json"): Rule.OPEN,
    ("GET", "/api/docs"): Rule.OPEN,
    ("GET", "/static/{name}"): Rule.OPEN,
    ("GET", "/p/{token}"): Rule.OPEN,
    ("GET", "/p/{token}/pay"): Rule.OPEN,
    ("POST", "/p/{token}/opened"): Rule.OPEN,
    ("POST", "/api/webhooks/stripe"): Rule.PROVIDER,
    ("POST", "/api/webhooks/stripe/{connection}"): Rule.PROVIDER,
    ("POST", "/api/session"): Rule.SIGN_IN,
    ("GET", "/api/session"): Rule.KNOWN,
    ("DELETE", "/api/session"): Rule.KNOWN,
    ("GET", "/api/sessions"): Rule.PERSON,
    ("DELETE", "/api/sessions"): Rule.PERSON,
    ("DELETE", "/api/sessions/{session_id}"): Rule.PERSON,
    ("PUT", "/api/password"): Rule.PERSON,
    ("GET", "/api/workspaces"): Rule.PERSON,
    ("PUT", "/api/session/workspace"): Rule.PERSON,
    ("GET", "/api/workspace"): Rule.READ,
    ("GET", "/api/members"): Rule.READ,
    ("GET", "/api/members/{user_id}"): Rule.READ,
    ("PATCH", "/api/members/{user_id}"): Rule.WORKSPACE,
    ("DELETE", "/api/members/{user_id}"): Rule.WORKSPACE,
    ("GET", "/api/invitations"): Rule.WORKSPACE,
    ("POST", "/api/invitations"): Rule.WORKSPACE,
    ("DELETE", "/api/invitations/{invitation_id}"): Rule.WORKSPACE,
    ("POST", "/api/invitations/accept"): Rule.SIGN_IN,
    ("GET", "/api/tokens"): Rule.WORKSPACE,
    ("POST", "/api/tokens"): Rule.WORKSPACE,
    ("DELETE", "/api/tokens/{token_id}"): Rule.WORKSPACE,
    ("GET", "/api/integrations"): Rule.READ,
    ("GET", "/api/integrations/stripe"): Rule.READ,
    ("DELETE", "/api/integrations/stripe"): Rule.INTEGRATIONS,
    ("POST", "/api/integrations/stripe/connect"): Rule.INTEGRATIONS,
    ("GET", "/api/integrations/stripe/test"): Rule.READ,
    ("GET", "/api/integrations/stripe/audit"): Rule.INTEGRATIONS,
    ("PUT", "/api/integrations/stripe/credentials"): Rule.INTEGRATIONS,
    ("GET", "/api/integrations/{provider}"): Rule.READ,
    ("DELETE", "/api/integrations/{provider}"): Rule.INTEGRATIONS,
    ("POST", "/api/integrations/{provider}/connect"): Rule.INTEGRATIONS,
    ("PUT", "/api/integrations/{provider}/credentials"): Rule.INTEGRATIONS,
    ("GET", "/api/integrations/{provider}/test"): Rule.READ,
    ("GET", "/api/integrations/{provider}/hearing"): Rule.READ,
    ("GET", "/api/integrations/{provider}/audit"): Rule.INTEGRATIONS,
    ("GET", "/api/integrations/{provider}/settings"): Rule.READ,
    ("PATCH", "/api/integrations/{provider}/settings"): Rule.INTEGRATIONS,
    ("POST", "/api/integrations/{provider}/preview"): Rule.READ,
    ("GET", "/api/shows"): Rule.READ,
    ("POST", "/api/shows"): Rule.SHOWS,
    ("GET", "/api/shows/{show_id}"): Rule.READ,
    ("PATCH", "/api/shows/{show_id}"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/start"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/pause"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/end"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/verify"): Rule.READ,
    ("GET", "/api/shows/{show_id}/verification"): Rule.READ,
    ("GET", "/api/shows/{show_id}/summary"): Rule.READ,
    ("GET", "/api/shows/{show_id}/items"): Rule.READ,
    ("PUT", "/api/shows/{show_id}/items"): Rule.SHOWS,
    ("PATCH", "/api/shows/{show_id}/items/{item_number}"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/imports/items"): Rule.SHOWS,
    ("GET", "/api/shows/{show_id}/claims"): Rule.READ,
    ("POST", "/api/shows/{show_id}/claims"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/imports/claims"): Rule.SHOWS,
    ("GET", "/api/shows/{show_id}/buyers"): Rule.READ,
    ("POST", "/api/shows/{show_id}/imports/buyers"): Rule.SHOWS,
    ("POST", "/api/shows/{show_id}/imports/invoices"): Rule.INVOICES,
    ("GET", "/api/shows/{show_id}/exports/{table}"): Rule.READ,
    ("PATCH", "/api/buyers/{buyer_id}"): Rule.SHOWS,
    ("GET", "/api/shows/{show_id}/invoices"): Rule.READ,
    ("GET", "/api/shows/{show_id}/invoices/plan"): Rule.READ,
    ("POST", "/api/shows/{show_id}/invoices/generate"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/invoices/retry"): Rule.INVOICES,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}"): Rule.READ,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}/history"): Rule.READ,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/send"): Rule.INVOICES,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}/deliveries"): Rule.READ,
    ("POST", "/api/shows/{show_id}/invoices/send"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/buyers/{buyer_id}/pay-link/revoke"): Rule.INVOICES,
    ("GET", "/api/sendings/{sending_id}"): Rule.READ,
    ("GET", "/api/sendings/{sending_id}/deliveries"): Rule.READ,
    ("GET", "/api/generations/{generation_id}"): Rule.READ,
    ("POST", "/api/generations/{generation_id}/cancel"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/void"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/mark-paid"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/finalize"): Rule.INVOICES,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/update-draft"): Rule.INVOICES,
    ("GET", "/api/shows/{show_id}/stray-payments"): Rule.READ,
    ("POST", "/api/shows/{show_id}/stray-payments/{payment_id}/settle"): Rule.INVOICES,
    (SOCKET, "/api/realtime"): Rule.READ,
    ("GET", "/sign-in"): Rule.OPEN,
    ("POST", "/sign-in"): Rule.SIGN_IN,
    ("GET", "/sign-in/oidc"): Rule.OPEN,
    ("GET", "/sign-in/oidc/callback"): Rule.OPEN,
    ("POST", "/sign-out"): Rule.KNOWN,
    ("GET", "/"): Rule.KNOWN,
    ("GET", "/shows"): Rule.READ,
    ("GET", "/shows/new"): Rule.READ,
    ("POST", "/shows/new"): Rule.SHOWS,
    ("GET", "/shows/{show_id}"): Rule.READ,
    ("POST", "/shows/example"): Rule.SHOWS,
    ("GET", "/shows/{show_id}/edit"): Rule.READ,
    ("POST", "/shows/{show_id}/edit"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/start"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/pause"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/end"): Rule.SHOWS,
    ("GET", "/shows/{show_id}/items"): Rule.READ,
    ("POST", "/shows/{show_id}/items"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/items/price"): Rule.SHOWS,
    ("GET", "/shows/{show_id}/claims"): Rule.READ,
    ("GET", "/shows/{show_id}/buyers"): Rule.READ,
    ("POST", "/shows/{show_id}/buyers/{buyer_id}"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/buyers/{buyer_id}/generate"): Rule.INVOICES,
    ("GET", "/shows/{show_id}/trend"): Rule.READ,
    ("GET", "/shows/{show_id}/import"): Rule.READ,
    ("POST", "/shows/preview"): Rule.READ,
    ("POST", "/shows/{show_id}/import"): Rule.SHOWS,
    ("POST", "/shows/{show_id}/import/invoices"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/import/invoices/preview"): Rule.READ,
    ("GET", "/shows/{show_id}/plan"): Rule.READ,
    ("GET", "/plans"): Rule.READ,
    ("GET", "/shows/{show_id}/send-all"): Rule.READ,
    ("POST", "/shows/{show_id}/send-all"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/send-chosen"): Rule.READ,
    ("POST", "/shows/{show_id}/export-chosen"): Rule.READ,
    ("POST", "/shows/{show_id}/runs/{run_id}/cancel"): Rule.INVOICES,
    ("GET", "/shows/{show_id}/invoices/rows"): Rule.READ,
    ("GET", "/shows/{show_id}/invoices/{invoice_id}"): Rule.READ,
    ("GET", "/shows/{show_id}/invoices/{invoice_id}/void"): Rule.READ,
    ("GET", "/shows/{show_id}/invoices/{invoice_id}/mark-paid"): Rule.READ,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/void"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/mark-paid"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/finalize"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/update-draft"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/generate"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/retry"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/send"): Rule.INVOICES,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/retry"): Rule.INVOICES,
    ("GET", "/shows/{show_id}/stray-payments"): Rule.READ,
    ("POST", "/shows/{show_id}/stray-payments/{payment_id}/settle"): Rule.INVOICES,
    ("GET", "/shows/{show_id}/desk"): Rule.READ,
    ("POST", "/shows/{show_id}/desk/{invoice_id}/sent"): Rule.INVOICES,
    ("GET", "/join/{token}"): Rule.OPEN,
    ("POST", "/join/{token}"): Rule.SIGN_IN,
    ("GET", "/settings"): Rule.READ,
    ("GET", "/settings/tokens"): Rule.WORKSPACE,
    ("GET", "/settings/account"): Rule.PERSON,
    ("POST", "/settings/invitations"): Rule.WORKSPACE,
    ("POST", "/settings/invitations/{invitation_id}/revoke"): Rule.WORKSPACE,
    ("POST", "/settings/members/{user_id}/role"): Rule.WORKSPACE,
    ("POST", "/settings/members/{user_id}/remove"): Rule.WORKSPACE,
    ("POST", "/settings/tokens"): Rule.WORKSPACE,
    ("POST", "/settings/tokens/{token_id}/revoke"): Rule.WORKSPACE,
    ("POST", "/settings/password"): Rule.PERSON,
    ("POST", "/settings/sessions/end-others"): Rule.PERSON,
    ("POST", "/settings/sessions/{session_id}/end"): Rule.PERSON,
    ("POST", "/settings/workspace"): Rule.PERSON,
    ("GET", "/connections"): Rule.READ,
    ("GET", "/settings/audit"): Rule.INTEGRATIONS,
    ("GET", "/integrations"): Rule.READ,
    ("GET", "/integrations/{provider}"): Rule.READ,
    ("GET", "/integrations/{provider}/test"): Rule.READ,
    ("POST", "/integrations/{provider}/preview"): Rule.READ,
    ("POST", "/integrations/{provider}/sample"): Rule.READ,
    ("POST", "/integrations/{provider}/connect"): Rule.INTEGRATIONS,
    ("POST", "/integrations/{provider}/check"): Rule.INTEGRATIONS,
    ("POST", "/integrations/{provider}/credentials"): Rule.INTEGRATIONS,
    ("POST", "/integrations/{provider}/settings"): Rule.INTEGRATIONS,
    ("POST", "/integrations/{provider}/disconnect"): Rule.INTEGRATIONS,
}
