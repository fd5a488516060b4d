"""Who may use which route: one table. A route that is not in it lets nobody in."""

from enum import Enum
from typing import Final


class Rule(Enum):
    """What a route asks of whoever comes."""

    OPEN = "open"
    """Nothing."""
    SIGN_IN = "sign-in"
    """Nothing but that a browser sends it from our own pages."""
    PROVIDER = "provider"
    """Nothing here: the signature of the body is the proof, and is checked behind."""
    MEMBER = "member"
    """A session or token of a workspace."""
    OWNER = "owner"
    """One with the rights of an owner."""


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
    ("GET", "/api/session"): Rule.MEMBER,
    ("DELETE", "/api/session"): Rule.MEMBER,
    ("GET", "/api/tokens"): Rule.OWNER,
    ("POST", "/api/tokens"): Rule.OWNER,
    ("DELETE", "/api/tokens/{token_id}"): Rule.OWNER,
    ("GET", "/api/integrations"): Rule.MEMBER,
    ("GET", "/api/integrations/stripe"): Rule.MEMBER,
    ("DELETE", "/api/integrations/stripe"): Rule.OWNER,
    ("POST", "/api/integrations/stripe/connect"): Rule.OWNER,
    ("GET", "/api/integrations/stripe/test"): Rule.MEMBER,
    ("GET", "/api/integrations/stripe/audit"): Rule.OWNER,
    ("PUT", "/api/integrations/stripe/credentials"): Rule.OWNER,
    ("GET", "/api/integrations/{provider}"): Rule.MEMBER,
    ("DELETE", "/api/integrations/{provider}"): Rule.OWNER,
    ("POST", "/api/integrations/{provider}/connect"): Rule.OWNER,
    ("PUT", "/api/integrations/{provider}/credentials"): Rule.OWNER,
    ("GET", "/api/integrations/{provider}/test"): Rule.MEMBER,
    ("GET", "/api/integrations/{provider}/audit"): Rule.OWNER,
    ("GET", "/api/integrations/{provider}/settings"): Rule.MEMBER,
    ("PATCH", "/api/integrations/{provider}/settings"): Rule.OWNER,
    ("POST", "/api/integrations/{provider}/preview"): Rule.MEMBER,
    ("GET", "/api/shows"): Rule.MEMBER,
    ("POST", "/api/shows"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}"): Rule.MEMBER,
    ("PATCH", "/api/shows/{show_id}"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/start"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/pause"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/end"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/summary"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/items"): Rule.MEMBER,
    ("PUT", "/api/shows/{show_id}/items"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/imports/items"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/claims"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/claims"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/imports/claims"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/buyers"): Rule.MEMBER,
    ("PATCH", "/api/buyers/{buyer_id}"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/invoices"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/invoices/plan"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/invoices/generate"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/invoices/retry"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}/history"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/invoices/{invoice_id}/send"): Rule.MEMBER,
    ("GET", "/api/shows/{show_id}/invoices/{invoice_id}/deliveries"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/invoices/send"): Rule.MEMBER,
    ("POST", "/api/shows/{show_id}/buyers/{buyer_id}/pay-link/revoke"): Rule.MEMBER,
    ("GET", "/api/sendings/{sending_id}"): Rule.MEMBER,
    ("GET", "/api/sendings/{sending_id}/deliveries"): Rule.MEMBER,
    ("GET", "/api/generations/{generation_id}"): Rule.MEMBER,
    (SOCKET, "/api/realtime"): Rule.MEMBER,
    ("GET", "/sign-in"): Rule.OPEN,
    ("POST", "/sign-in"): Rule.SIGN_IN,
    ("POST", "/sign-out"): Rule.MEMBER,
    ("GET", "/"): Rule.MEMBER,
    ("GET", "/shows"): Rule.MEMBER,
    ("GET", "/shows/new"): Rule.MEMBER,
    ("POST", "/shows/new"): Rule.MEMBER,
    ("GET", "/shows/{show_id}"): Rule.MEMBER,
    ("GET", "/shows/{show_id}/import"): Rule.MEMBER,
    ("POST", "/shows/{show_id}/import"): Rule.MEMBER,
    ("GET", "/shows/{show_id}/invoices/rows"): Rule.MEMBER,
    ("POST", "/shows/{show_id}/invoices/generate"): Rule.MEMBER,
    ("POST", "/shows/{show_id}/invoices/retry"): Rule.MEMBER,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/send"): Rule.MEMBER,
    ("POST", "/shows/{show_id}/invoices/{invoice_id}/retry"): Rule.MEMBER,
    ("GET", "/integrations"): Rule.MEMBER,
    ("GET", "/integrations/stripe"): Rule.MEMBER,
    ("GET", "/integrations/stripe/test"): Rule.MEMBER,
    ("POST", "/integrations/stripe/connect"): Rule.OWNER,
    ("POST", "/integrations/stripe/disconnect"): Rule.OWNER,
}
