"""What a buyer gets to see, with a sample in it: the message that carries the link, and what stands behind the link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.gateway.dashboard.views.provider_settings import Preview

SAMPLE_LINES: Final = (("#12 Board shirt, L", 4_800), ("#58 Harness boots, 39", 5_745), ("#91 Silk scarf", 1_800))
"""What the sample's buyer won, in minor units of any currency: the count and the sum that previews of texts have."""
SAMPLE_TOTAL: Final = sum(amount for _, amount in SAMPLE_LINES)
_USUAL: Final = "USD"
_MOST_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that is not there is empty; one that cannot be used says why."""

    currency: str
    due: date | None
    """None where the provider has no such setting, or what was typed is none."""
    memo: Preview | None
    message: Preview | None
    footer: str
    instructions: str
    lines: Sequence[tuple[str, int]] = SAMPLE_LINES
    total: int = SAMPLE_TOTAL


def sample_of(values: Mapping[str, str], currency: str, texts: Mapping[str, Preview], today: date) -> Sample:
    """`values` as the form of the settings holds them; `currency` where they name none; `texts` by their setting."""
    return Sample(
        currency=values["default_currency"] or currency.upper() or _USUAL,
        due=_due(values["days_until_due"], today),
        memo=texts.get("memo_template"),
        message=texts.get("message_template"),
        footer=values["footer"],
        instructions=values["payment_instructions"],
    )


def _due(typed: str, today: date) -> date | None:
    digits = typed.strip()
    days = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= len(str(_MOST_DAYS)) else 0
    return today + timedelta(days=days) if 0 < days <= _MOST_DAYS else None
