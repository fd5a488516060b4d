"""One buyer's claims and invoices, in memory: what a run does to them, as the service does it, without the service."""

from dataclasses import dataclass, field
from typing import Any

from services.invoicing.domain.difference import Before, difference
from services.invoicing.domain.invoice import UNSETTLED, DraftReason, Status
from services.invoicing.domain.plan import Action, Entry, Plan, Wishes, plan
from services.invoicing.domain.rollup import NOTHING, Billed, Buyer, ChangeKind, Made, Owed, Position
from services.invoicing.domain.terms import Terms

TERMS = Terms(
    "GBP",
    account_id="acct",
    provider="stripe",
    minimum_totals={"GBP": 30},
    maximum_total=99_999_999,
    maximum_lines=250,
)
PAYABLE = (Status.DRAFT, Status.SENT, Status.PAYMENT_FAILED)


@dataclass
class Bill:
    """An invoice, as far as a plan knows of it."""

    revision: int
    status: Status
    draft_reason: DraftReason | None
    total: int
    digest: str
    beside: int
    lines: list[dict[str, Any]]
    adjusted: bool = False
    told_email: str = ""

    @property
    def payable(self) -> bool:
        return self.status in PAYABLE and not self.draft_reason


@dataclass
class World:
    """Claims are item and quantity."""

    prices: dict[str, int | None]
    claims: list[tuple[str, int]] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    email: str = "a@example.com"

    def lines(self) -> list[dict[str, Any]]:
        found = []
        for item in sorted({item for item, _ in self.claims}):
            quantity, price = sum(count for name, count in self.claims if name == item), self.prices[item]
            found.append(
                {
                    "item_number": item,
                    "title": f"Item {item}",
                    "quantity": quantity,
                    "unit_price": price,
                    "amount": quantity * (price or 0),
                }
            )
        return found

    def owed(self) -> Owed:
        lines = self.lines()
        if not lines:
            return NOTHING
        unpriced = sum(line["unit_price"] is None for line in lines)
        digest = ",".join(f"{line['item_number']} {line['quantity']} {line['unit_price']}" for line in lines)
        return Owed(sum(line["amount"] for line in lines), len(self.claims), len(lines), unpriced, digest)

    def standing(self) -> list[Bill]:
        return [bill for bill in self.bills if bill.status is not Status.VOID]

    def settled(self) -> list[Bill]:
        return [bill for bill in self.standing() if bill.status not in UNSETTLED]

    def unsettled(self) -> list[Bill]:
        return [bill for bill in self.bills if bill.status in UNSETTLED]

    def position(self) -> Position:
        billed, standing = None, self.standing()
        if standing:
            newest = standing[-1]
            billed = Billed(
                invoice_id=str(newest.revision),
                status=newest.status,
                total=sum(bill.total for bill in standing),
                digest=newest.digest,
                draft_reason=newest.draft_reason,
                settled=sum(bill.total for bill in self.settled()),
                settled_count=len(self.settled()),
                paid=sum(bill.total for bill in self.standing() if bill.status is Status.PAID),
                settled_adjusted=any(bill.adjusted for bill in self.settled()),
                own=newest.total,
                beside=newest.beside,
                adjusted=newest.adjusted,
                told_email=newest.told_email,
                made=None if newest.status is Status.ERROR else Made("stripe", "acct", True),
            )
        return Position(Buyer("b", "facebook", "u", "@u", "", self.email), self.owed(), billed, len(self.bills))

    def plan(self, wishes: Wishes = Wishes(changes=True)) -> Plan:  # noqa: B008  # frozen
        return plan([self.position()], TERMS, wishes)

    def entry(self, wishes: Wishes = Wishes(changes=True)) -> Entry:  # noqa: B008  # frozen
        (entry,) = self.plan(wishes).entries
        return entry

    def run(self, wishes: Wishes = Wishes(changes=True), *, fails: bool = False) -> None:  # noqa: B008  # frozen
        """Plans, and carries the plan out."""
        planned = self.plan(wishes)
        for entry in (*planned.having(Action.CREATE), *planned.to_change):
            self._carry_out(entry, fails=fails)

    def _carry_out(self, entry: Entry, *, fails: bool) -> None:
        if entry.change in (ChangeKind.VOID, ChangeKind.REISSUE):
            self.unsettled()[0].status = Status.VOID
        if entry.change is ChangeKind.VOID:
            return
        bill = self._bill(entry)
        if fails and entry.change is not ChangeKind.EDIT_DRAFT:
            bill.status, bill.draft_reason = Status.ERROR, entry.draft_reason
        if entry.change in (ChangeKind.EDIT_DRAFT, ChangeKind.RETRY):
            (old,) = self.unsettled()
            bill.revision = old.revision
            self.bills[old.revision - 1] = bill
        else:
            self.bills.append(bill)

    def _bill(self, entry: Entry) -> Bill:
        settled = [Before(f"N{bill.revision}", bill.total, bill.lines, bill.adjusted) for bill in self.settled()]
        lines = difference(self.lines(), settled, "GBP") if settled else self.lines()
        total = sum(line["amount"] for line in lines)
        if entry.proposal:
            assert total == entry.proposal.bill
        return Bill(
            entry.revision,
            Status.DRAFT,
            entry.draft_reason,
            total,
            entry.owed.digest,
            entry.beside,
            lines,
            told_email=self.email,
        )
