"""What the interface's description shows: one sale, from the keys to the payment, as bodies that really could come."""

from typing import Any, Final

import msgspec

from services.gateway.api.health import HealthView
from services.gateway.examples import ids
from services.gateway.examples.billing import BILLING
from services.gateway.examples.connections import CONNECTIONS
from services.gateway.examples.people import PEOPLE
from services.gateway.examples.sale import FILES as FILES
from services.gateway.examples.sale import SALE

_HEALTH: Final = HealthView(status="ok", database="ok", integrations="ok", invoicing="ok", events="ok")
VIEWS: Final[dict[str, Any]] = {
    type(one).__name__: msgspec.to_builtins(one) for one in (*PEOPLE, *CONNECTIONS, *SALE, *BILLING, _HEALTH)
}
"""As they go over the wire, by the name of their type."""
PARAMETERS: Final[dict[str, tuple[str, str]]] = {
    "show_id": ("The show’s id.", ids.SHOW),
    "item_number": ("The item’s number, as the seller counts; it may hold slashes.", "85123A"),
    "buyer_id": ("The buyer’s id.", ids.BUYER),
    "invoice_id": ("The invoice’s id.", ids.INVOICE),
    "generation_id": ("The id of the run that makes invoices.", ids.GENERATION),
    "sending_id": ("The id of the run that delivers links.", ids.SENDING),
    "user_id": ("The member’s id.", ids.USER),
    "session_id": ("The session’s id.", ids.SESSION),
    "invitation_id": ("The invitation’s id.", ids.INVITATION),
    "token_id": ("The id of the API token, which is not the token.", ids.TOKEN),
    "payment_id": ("The id of the payment that counts for no invoice.", ids.STRAY),
    "provider": ("The provider’s name in the catalogue.", "stripe"),
    "table": ("Which file.", "claims"),
}
"""What places in paths hold, and an example."""
