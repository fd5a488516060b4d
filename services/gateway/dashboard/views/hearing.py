"""How payments are heard of, as the page of a provider shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.gateway.schemas.integrations import IntegrationView
from services.gateway.schemas.verification import HearingMode, HearingView

_QUIET: Final = 24
"""Hours without news after which a page says so."""


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
    told_count: int = 0
    """Those of them that a webhook told."""
    read_count: int = 0
    last_event_type: str = ""
    last_event_at: datetime | None = None
    quiet: str = ""
    """How long nothing has come, as `26 h`; empty while something came within a day, and where nothing ever did."""

    @property
    def receiving(self) -> bool:
        return bool(self.event_count) and self.mode != "broken"


def quiet_for(last: datetime | None, now: datetime) -> str:
    hours = int((now - last).total_seconds() // 3600) if last else 0
    return "" if hours < _QUIET else f"{hours} h" if hours < 2 * _QUIET else f"{hours // 24} days"


def hearing_of(connection: IntegrationView, heard: HearingView | None, now: datetime) -> Hearing:
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
        heard.told_event_count,
        heard.read_event_count,
        heard.last_event_type,
        heard.last_event_at,
        quiet_for(heard.last_event_at or connection.last_event_at, now),
    )
