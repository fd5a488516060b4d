"""How payments are heard of, as the page of a provider shows it."""

from dataclasses import dataclass
from datetime import datetime

from services.gateway.schemas.integrations import IntegrationView
from services.gateway.schemas.verification import HearingMode, HearingView


@dataclass(frozen=True, slots=True)
class Hearing:
    """The badge, the sentence and the times."""

    mode: HearingMode | None
    sentence: str
    failed: bool
    """The last reading of what webhooks may have missed did not go through."""
    last_heard_at: datetime | None
    last_read_at: datetime | None
    unpaid_count: int | None = None
    """Invoices of the account that buyers can pay and have not; None where that is not known."""
    event_count: int | None = None
    """Events of the last 24 hours; None where that is not known."""


def hearing_of(connection: IntegrationView, heard: HearingView | None) -> Hearing:
    """What the invoicing service knows; where it does not answer, what the connection was set up for."""
    if heard is None or heard.mode is None or heard.account_id != connection.account_id:
        sentence = connection.update_mode_reason
        return Hearing(connection.update_mode, sentence, False, connection.last_event_at, None)
    return Hearing(
        heard.mode,
        heard.sentence,
        bool(heard.failure),
        heard.last_heard_at,
        heard.last_success_at,
        heard.unpaid_invoice_count,
        heard.event_count,
    )
