"""Whose links would be sent, as the question before it says."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.gateway.dashboard.views.money import Money
from services.gateway.schemas.invoices import InvoiceRow, SummaryPartView


@dataclass(frozen=True, slots=True)
class Links:
    """Amounts in minor units."""

    mailed_count: int
    mailed: int
    """Of those that the provider mails."""
    others_count: int
    others: int
    """Of those that are reached another way, or left out."""
    held_back_count: int
    done_count: int = 0
    """Chosen ones that are paid, void or not made."""
    chosen: bool = False
    ids: tuple[str, ...] = ()
    """Of the chosen ones, those that can be sent."""

    @property
    def count(self) -> int:
        return self.mailed_count + self.others_count


def all_links(money: Money, mailable: SummaryPartView) -> Links:
    """All that are unsent and payable."""
    # The two were read one after the other: what became mailable in between is no other.
    others_count, others = max(money.sendable_count - mailable.count, 0), max(money.sendable - mailable.amount, 0)
    return Links(mailable.count, mailable.amount, others_count, others, money.held_back_count)


def chosen_links(invoices: Sequence[InvoiceRow], mailable: SummaryPartView) -> Links:
    """Those that somebody chose, sent before or not."""
    held = [one for one in invoices if one.draft_reason]
    payable = [one for one in invoices if one.status in ("draft", "sent", "payment_failed") and not one.draft_reason]
    return Links(
        mailed_count=mailable.count,
        mailed=mailable.amount,
        others_count=max(len(payable) - mailable.count, 0),
        others=max(sum(one.total for one in payable) - mailable.amount, 0),
        held_back_count=len(held),
        done_count=len(invoices) - len(held) - len(payable),
        chosen=True,
        ids=tuple(one.id for one in payable),
    )
