"""The proof of a show: what each buyer owes, what is invoiced here, and what the provider has. A pure comparison.

The invariant: each buyer has at most one unsettled invoice, and the sum of those that are not void is what the buyer
owes. It holds here and at the provider, where nothing is missing and nothing extra.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from services.common.money import format_money
from services.invoicing.domain.changes import NOT_HEARD
from services.invoicing.domain.evidence import Claimant, Evidence, Finding, Ours, Place, Proof, Report, Theirs, Verdict
from services.invoicing.domain.invoice import Standing, Status

_T = TypeVar("_T")

IN_FLIGHT: Final = timedelta(minutes=1)
"""News of a payment may take so long: until then it is no fault that it is not here yet."""

_NAMES: Final = {
    Standing.HELD_BACK: "a draft",
    Standing.PAYABLE: "open",
    Standing.UNCOLLECTIBLE: "written off",
    Standing.VOID: "void",
    Standing.PAID: "paid",
}
_EXPECTED: Final = {
    Status.SENT: Standing.PAYABLE,
    Status.PAYMENT_FAILED: Standing.PAYABLE,
    Status.PAID: Standing.PAID,
    Status.VOID: Standing.VOID,
    Status.UNCOLLECTIBLE: Standing.UNCOLLECTIBLE,
}


_STRAY: Final = "Void it at the provider unless you made it yourself."
_STRAY_PAID: Final = "Find out what it was paid for, then take the mark out of its metadata at the provider."
_EXTRA: Final = "Void it at the provider."
_EXTRA_PAID: Final = (
    "Find out what it was paid for, or give the money back, then settle it on the page of the show. Where that does not"
    " name it, take our mark out of its metadata at the provider."
)


def verify(evidence: Evidence) -> Report:
    """Compares every buyer. The order of the input makes no difference."""
    ours = _by(evidence.ours, lambda one: one.buyer_id)
    buyer_of = {one.id: one.buyer_id for one in evidence.ours}
    theirs = _by(evidence.theirs.values(), lambda one: buyer_of.get(one.invoice_id, ""))
    ordered = sorted(evidence.claimants, key=lambda one: (one.buyer.handle.casefold(), one.buyer.id))
    proofs = [
        _Case(evidence, claimant, ours.get(claimant.buyer.id, []), theirs.get(claimant.buyer.id, [])).proof()
        for claimant in ordered
    ]
    findings = [finding for proof in proofs for finding in proof.findings]
    findings += [_stray(one) for one in evidence.strays if one.standing is not Standing.VOID]
    findings.sort(key=lambda one: (one.accepted, one.unchecked))
    return Report(_verdict(findings, unchecked=bool(evidence.unchecked)), proofs, findings, evidence)


def _by(items: Iterable[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    found: defaultdict[str, list[_T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found


def _verdict(findings: Sequence[Finding], *, unchecked: bool = False) -> Verdict:
    if any(finding.fault for finding in findings):
        return Verdict.DISPROVED
    return Verdict.UNCHECKED if unchecked or any(one.unchecked for one in findings) else Verdict.PROVEN


def _stray(one: Theirs) -> Finding:
    money = format_money(one.total, one.currency)
    paid = one.standing is Standing.PAID
    problem = (
        f"The provider has an invoice with this workspace’s mark that belongs to no show here: {one.external_id},"
        f" {_NAMES[one.standing]}, {money}. {_STRAY_PAID if paid else _STRAY}"
    )
    return Finding("", problem, one.invoice_id, one.external_id, place=one.place)


@dataclass(slots=True)
class _Case:
    """One buyer, while the findings are gathered."""

    evidence: Evidence
    claimant: Claimant
    ours: Sequence[Ours]
    theirs: Sequence[Theirs]
    findings: list[Finding] = field(default_factory=list)

    def proof(self) -> Proof:
        known = {place for one in self.ours if (place := self._counterpart(one))}
        for one in self.ours:
            self._compare(one)
            self._look_where_it_was_begun(one)
        for extra in self.theirs:
            if extra.place not in known and extra.standing is not Standing.VOID:
                self._extra(extra)
        self._compare_sums()
        standing = [one for one in self.ours if one.status is not Status.VOID]
        there = [one for one in self.theirs if one.standing is not Standing.VOID]
        return Proof(
            self.claimant,
            sum(one.total for one in standing),
            sum(one.total for one in there),
            len(standing),
            len(there),
            _verdict(self.findings),
            self.findings,
        )

    def _counterpart(self, one: Ours) -> Place | None:
        """Where it stands at the provider: an invoice that replaced another there stands for it."""
        place = (one.account, one.external_id)
        seen = set()
        while place not in seen:
            seen.add(place)
            found = self.evidence.theirs.get(place)
            if found is None or not found.replaced_by or (one.account, found.replaced_by) not in self.evidence.theirs:
                return place if one.external_id else None
            place = (one.account, found.replaced_by)
        return place

    def _compare(self, one: Ours) -> None:
        if one.account in self.evidence.unchecked:
            self._unchecked(one, "Its invoice could not be looked at. " + self.evidence.unchecked[one.account])
        elif one.status is Status.PENDING:
            self._unchecked(one, "Its invoice is still being made. Verify again once that is finished.")
        elif one.status is Status.ERROR:
            self._fault(one, "Its invoice could not be made. Retry it.")
        else:
            self._compare_with_counterpart(one)

    def _compare_with_counterpart(self, one: Ours) -> None:
        place = self._counterpart(one)
        found = self.evidence.theirs.get(place) if place else None
        if found is None:
            if one.status is not Status.VOID:
                self._fault(one, "The provider does not have its invoice: it is gone there, or was never made.", place)
            return
        expected = _EXPECTED.get(one.status, Standing.HELD_BACK if one.draft_reason else Standing.PAYABLE)
        if found.standing is not expected:
            self._differs(one, found, expected)
        elif one.status is not Status.VOID:
            self._compare_totals(one, found)

    def _differs(self, one: Ours, found: Theirs, expected: Standing) -> None:
        age = self.evidence.now - found.paid_at if found.paid_at and found.standing is Standing.PAID else None
        if age is not None and age < IN_FLIGHT:
            self._accept(one, "It was paid at the provider a moment ago; the news is on its way.", found.external_id)
            return
        there, here = _NAMES[found.standing], _NAMES[expected]
        self._fault(one, f"At the provider its invoice is {there}, here it is {here}.", found.place)

    def _compare_totals(self, one: Ours, found: Theirs) -> None:
        if found.currency != self.evidence.currency:
            said = f"At the provider its invoice is in {found.currency}, here in {self.evidence.currency}."
            self._fault(one, said, found.place)
        elif found.total != one.total:
            there, here = self._money(found.total), self._money(one.total)
            if found.standing is Standing.HELD_BACK:
                said = (
                    f"Its draft was edited at the provider: it is {there} there and {here} here until it is finalized."
                )
                self._accept(one, said, found.external_id)
            else:
                self._fault(one, f"At the provider its total is {there}, here it is {here}.", found.place)
        elif None not in (one.amounts, found.amounts) and one.amounts != found.amounts:
            said = "Its lines were edited at the provider: they have other amounts there, and come to the same total."
            self._accept(one, said, found.external_id)

    def _look_where_it_was_begun(self, one: Ours) -> None:
        for account in self.evidence.begun.get(one.id, ()):
            if account in self.evidence.unchecked and account != one.account:
                self._unchecked(
                    one,
                    f"An attempt was made in the account {account.account_id}, where an invoice may have been left"
                    f" open. {self.evidence.unchecked[account]}",
                )

    def _extra(self, extra: Theirs) -> None:
        """What was paid there and settled since stays there as it is: no refund makes an invoice another one."""
        settled = extra.standing is Standing.PAID and extra.place in self.evidence.settled
        said = (
            f"The provider has an invoice of this buyer that does not count here: {extra.external_id} in the account"
            f" {extra.account.account_id}, {_NAMES[extra.standing]}, {format_money(extra.total, extra.currency)}."
        )
        if settled:
            said += " That payment was settled by hand, as the timeline of the buyer’s invoice says."
        else:
            said += f" {_EXTRA_PAID if extra.standing is Standing.PAID else _EXTRA}"
        finding = Finding(self.claimant.buyer.id, said, extra.invoice_id, extra.external_id, accepted=settled)
        self.findings.append(finding if settled else replace(finding, place=extra.place))

    def _compare_sums(self) -> None:
        standing = [one for one in self.ours if one.status is not Status.VOID]
        owed, invoiced = self.claimant.owed, sum(one.total for one in standing)
        if sum(one.unsettled for one in standing) > 1:
            self._fault(None, "The buyer has more than one unsettled invoice here.")
        if not standing:
            if owed.total or owed.unpriced_count:
                self._fault(None, f"The buyer owes {self._money(owed.total)} and has no invoice. Generate it.")
        elif invoiced != owed.total:
            newest = max(standing, key=lambda one: one.revision)
            said = f"The buyer owes {self._money(owed.total)} and is invoiced {self._money(invoiced)}."
            paid = sum(one.total for one in standing if one.status is Status.PAID)
            if paid > owed.total and not any(one.unsettled for one in standing):
                said += f" Refund {self._money(paid - owed.total)} at the provider; {NOT_HEARD}"
            if any(one.adjusted for one in standing) and newest.digest == owed.digest:
                self._accept(newest, f"{said} The invoice was edited at the provider.", newest.external_id)
            else:
                self._fault(newest, said)

    def _money(self, amount: int) -> str:
        return format_money(amount, self.evidence.currency)

    def _fault(self, one: Ours | None, problem: str, place: Place | None = None) -> None:
        external_id = place[1] if place else one.external_id if one else ""
        self.findings.append(Finding(self.claimant.buyer.id, problem, one.id if one else "", external_id, place=place))

    def _accept(self, one: Ours, problem: str, external_id: str) -> None:
        self.findings.append(Finding(self.claimant.buyer.id, problem, one.id, external_id, accepted=True))

    def _unchecked(self, one: Ours, problem: str) -> None:
        self.findings.append(Finding(self.claimant.buyer.id, problem, one.id, one.external_id, unchecked=True))
