"""What is to be done about invoices whose buyer's claims or prices changed since they were planned.

Never silent: each change is proposed with a sentence, and carried out only when the operator asks for it.
"""

from dataclasses import dataclass
from typing import Final

from services.common.money import format_money
from services.invoicing.domain.invoice import DraftReason, Status, held_back_because
from services.invoicing.domain.rollup import Billed, Buyer, ChangeKind, Made, Owed
from services.invoicing.domain.terms import Terms, held_back, too_much, why_not


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change, with what it brings."""

    change: ChangeKind
    sentence: str
    """What would be done, or what the operator can do where nothing is."""
    before: int
    """Minor units: what is invoiced."""
    after: int
    """Minor units: what is owed."""
    bill: int = 0
    """Minor units: what the invoice that comes of it bills; 0 where none does."""
    draft_reason: DraftReason | None = None
    """Why that invoice stays a draft."""
    optional: bool = False
    """Nothing is wrong; it only makes something possible."""

    @property
    def difference(self) -> int:
        return self.after - self.before


NOT_HEARD: Final = "that is not heard of here, so this stays."
"""Of what is given back at a provider: nobody listens to its refunds."""
_UNPRICED: Final = "An item has no price yet, so the difference cannot be known. Set the price, then plan again."
_BEING_MADE: Final = "It is being made just now, with the claims of before. Plan again once it is made."
_UNDER_WAY: Final = "A change of it is under way, with the claims of before. Plan again once it is done."
_ELSEWHERE: Final = (
    "It was made with another account or mode than the one that is connected now. Connect that one again to change it."
)
_ADJUSTED: Final = " What was edited in it at the provider is lost."
_FIRST_ADDRESS: Final = (
    "An e-mail address became known since. It can be voided and issued again, so that the provider can mail it."
    " The pay link stays the same."
)
_NEW_ADDRESS: Final = (
    "The provider would mail it to another e-mail address than the buyer has now. It can be voided and issued again for"
    " the address of now. The pay link stays the same."
)
_CHANGED_THERE: Final = (
    " The total of what is settled was changed at the provider, by a discount for example, and the difference takes"
    " that back. Look at it first."
)


def propose(buyer: Buyer, owed: Owed, billed: Billed, terms: Terms) -> Proposal | None:
    """What to do about the invoices of one buyer; None when they are right as they are."""
    if billed.changing is not None:
        return None if billed.changing == owed.digest else _nothing(owed, billed, _UNDER_WAY)
    if owed.digest == billed.digest and billed.beside == billed.settled_by_others:
        return _for_email(buyer, owed, billed, terms)
    if not billed.unsettled:
        return _beside_settled(owed, billed, terms)
    if billed.status is Status.PENDING:
        return _nothing(owed, billed, _BEING_MADE)
    return _of_unsettled(owed, billed, terms)


def _beside_settled(owed: Owed, billed: Billed, terms: Terms) -> Proposal | None:
    """Every invoice is paid or written off: at most another one beside them."""
    due = owed.total - billed.settled
    if owed.unpriced_count:
        return _nothing(owed, billed, _UNPRICED)
    if due == 0:
        return None
    if due < 0:
        return _nothing(owed, billed, _settled_more(owed, billed, terms))
    why = too_little(due, terms) or too_much(due, terms)
    if why:
        return _nothing(owed, billed, why)
    settled, more = (format_money(amount, terms.currency) for amount in (billed.settled, due))
    sentence = f"{settled} is settled. A supplementary invoice over the difference of {more} is made beside it."
    return Proposal(ChangeKind.SUPPLEMENT, sentence + _settled_otherwise(billed), billed.total, owed.total, due)


def _settled_more(owed: Owed, billed: Billed, terms: Terms) -> str:
    """What was written off was not paid, so only what was paid above what is owed can be refunded."""
    less, refund = billed.settled - owed.total, billed.paid - owed.total
    if refund == less:
        less_now = f"The buyer owes {format_money(less, terms.currency)} less than was settled."
        return f"{less_now} Refund it at the provider; {NOT_HEARD}"
    now, paid, off = (
        format_money(amount, terms.currency) if amount else "nothing"
        for amount in (owed.total, billed.paid, billed.settled - billed.paid)
    )
    told = f"The buyer owes {now} now; {paid} was paid, and {off} was written off."
    if refund <= 0:
        return f"{told} There is nothing to refund."
    return f"{told} Refund {format_money(refund, terms.currency)} at the provider; {NOT_HEARD}"


def _settled_otherwise(billed: Billed) -> str:
    return _CHANGED_THERE if billed.settled_adjusted else ""


def _of_unsettled(owed: Owed, billed: Billed, terms: Terms) -> Proposal:
    """The one invoice that is open, a draft, or failed: it is to bill what the settled ones leave."""
    due = owed.total - billed.settled
    if billed.made is not None and _elsewhere(billed.made, terms):
        return _nothing(owed, billed, _ELSEWHERE)
    if billed.settled_count and owed.unpriced_count:
        return _nothing(owed, billed, _UNPRICED)
    if too_much(due, terms):
        return _nothing(owed, billed, too_much(due, terms))
    needless = _why_needless(owed, billed, due, terms)
    if needless:
        return _void(owed, billed, needless, terms)
    reason = None if billed.settled_count else held_back(owed, terms)
    change, sentence = _brought_to(billed, due, terms)
    then = f" It stays a draft: {held_back_because(reason)}" if reason else ""
    if change is ChangeKind.EDIT_DRAFT and not reason:
        then = " It can be paid then."
    return Proposal(change, sentence + then + _settled_otherwise(billed), billed.total, owed.total, due, reason)


def _why_needless(owed: Owed, billed: Billed, due: int, terms: Terms) -> str:
    if not billed.settled_count:
        return why_not(owed, terms)
    if due < 0:
        return _settled_more(owed, billed, terms)
    return too_little(due, terms) if due else "What is settled already covers what the buyer owes."


def _brought_to(billed: Billed, due: int, terms: Terms) -> tuple[ChangeKind, str]:
    was, now = (format_money(amount, terms.currency) for amount in (billed.own, due))
    if billed.status is Status.ERROR:
        return ChangeKind.RETRY, f"Its making failed. It is tried again with the claims and prices of now, over {now}."
    if billed.status is Status.DRAFT and billed.draft_reason:
        return ChangeKind.EDIT_DRAFT, f"The draft at the provider is brought from {was} to {now}."
    lost = _ADJUSTED if billed.adjusted else ""
    over = (
        f"over {now} instead of {was}" if now != was else f"with the claims and prices of now, which come to {now} too"
    )
    sentence = f"It is voided and issued again {over}. The pay link stays the same.{lost}"
    return ChangeKind.REISSUE, sentence


def _void(owed: Owed, billed: Billed, needless: str, terms: Terms) -> Proposal:
    was = format_money(billed.own, terms.currency)
    return Proposal(ChangeKind.VOID, f"{needless} The invoice over {was} is voided.", billed.total, owed.total)


def _for_email(buyer: Buyer, owed: Owed, billed: Billed, terms: Terms) -> Proposal | None:
    """Offered, not needed: a provider mails an invoice to the address that it was made with, or not at all."""
    payable = billed.status in (Status.DRAFT, Status.SENT, Status.PAYMENT_FAILED) and not billed.draft_reason
    mailed = not buyer.email or buyer.email.lower() == billed.told_email.lower()
    if not payable or mailed or billed.adjusted or not terms.emails:
        return None
    if billed.made is None or _elsewhere(billed.made, terms):
        return None
    sentence = _NEW_ADDRESS if billed.told_email else _FIRST_ADDRESS
    return Proposal(ChangeKind.REISSUE, sentence, billed.total, owed.total, billed.own, optional=True)


def _nothing(owed: Owed, billed: Billed, sentence: str) -> Proposal:
    return Proposal(ChangeKind.NONE, sentence, billed.total, owed.total)


def _elsewhere(made: Made, terms: Terms) -> bool:
    return bool(terms.account_id) and made != Made(terms.provider, terms.account_id, terms.livemode)


def too_little(due: int, terms: Terms) -> str:
    """Why a difference cannot be charged, a sentence; empty when it can."""
    if due >= terms.smallest:
        return ""
    more, least = (format_money(amount, terms.currency) for amount in (due, terms.smallest))
    return f"The difference of {more} is below what the provider can charge, which is {least}."
