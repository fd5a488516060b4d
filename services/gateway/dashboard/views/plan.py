"""What a press on Generate would do, as the operator looks at it."""

from dataclasses import dataclass
from typing import Final

from services.gateway.schemas.invoices import ChangeKind, PlanEntryView, PlanView, PlanWarning

KINDS: Final[dict[ChangeKind, tuple[str, str]]] = {
    "edit_draft": ("Update draft", "square-pen"),
    "reissue": ("Issue again", "refresh-cw"),
    "supplement": ("Extra invoice", "plus"),
    "void": ("Void", "ban"),
    "retry": ("Retry", "rotate-cw"),
    "none": ("By hand", "hand"),
}
"""What is done about a change: its words and icon."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The ticks of the plan."""

    changes: bool = False
    emails: bool = False
    sends: bool | None = None
    """Each link once it is ready; None for as the connection's setting has it."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning about some buyers: how many, and the rest of the sentence."""

    warning: PlanWarning
    count: int
    icon: str
    lead: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, with the ticks that it was made for."""

    creates: list[PlanEntryView]
    changes: list[PlanEntryView]
    """Invoices that are not right any more."""
    offers: list[PlanEntryView]
    """Invoices that are right, and could be mailed if they were issued again."""
    skipped: list[PlanEntryView]
    unchanged_count: int
    item_count: int
    total: int
    currency: str
    warnings: list[Warned]
    plan_hash: str
    wishes: Wishes
    sends: bool = False
    """The links of what is made go out by themselves."""

    @property
    def count(self) -> int:
        """Invoices to make."""
        return len(self.creates)

    def listed(self, most: int) -> list[tuple[PlanEntryView, bool]]:
        """The first of the new invoices; and beyond those, marked, as many without an e-mail address as make `most` of
        them: a page can show these alone without being asked for anew, which would lose what was unticked."""
        first, rest = self.creates[:most], self.creates[most:]
        without = [entry for entry in rest if "no_email" in entry.warnings]
        room = most - sum("no_email" in entry.warnings for entry in first)
        return [(entry, False) for entry in first] + [(entry, True) for entry in without[:room]]

    @property
    def possible_count(self) -> int:
        """Changes that a run can carry out; the others are for the operator's own hand."""
        return sum(1 for entry in self.changes if entry.change and entry.change.kind != "none")

    @property
    def difference(self) -> int:
        """Minor units that buyers owe more, or less, than they were invoiced."""
        return sum(entry.change.difference for entry in self.changes if entry.change)

    @property
    def change_count(self) -> int:
        """Changes that a press would carry out."""
        wanted = self.possible_count if self.wishes.changes else 0
        return wanted + (len(self.offers) if self.wishes.emails else 0)

    def applies(self, entry: PlanEntryView) -> bool:
        """Whether a press would carry this change out."""
        if entry.change is None or entry.change.kind == "none":
            return False
        return self.wishes.emails if entry.change.optional else self.wishes.changes

    @property
    def press(self) -> str:
        """What the button says."""
        send = "and send " if self.sends else ""
        made = f"Generate {send}{self.count:,} invoice{'' if self.count == 1 else 's'}" if self.count else ""
        changed = f"{self.change_count:,} change{'' if self.change_count == 1 else 's'}" if self.change_count else ""
        if made and changed:
            return f"{made}, apply {changed}"
        return made or (f"Apply {changed}" if changed else "Nothing to do")

    @property
    def rehearsed(self) -> bool:
        """Invoices that are there are of test mode, and the connection is live."""
        return any(one.warning == _REHEARSED for one in self.warnings)

    @property
    def nothing_left(self) -> bool:
        """Every buyer has an invoice, and each is right."""
        return not self.creates and not self.changes

    @property
    def longest(self) -> int:
        """Lines of the longest list of the plan."""
        return max(len(self.creates), len(self.changes) + len(self.offers), len(self.skipped))

    @property
    def idle(self) -> bool:
        return not self.count and not self.change_count


def plan_of(plan: PlanView, wishes: Wishes = Wishes()) -> Plan:  # frozen
    creates = [entry for entry in plan.items if entry.action == "create"]
    offered = [entry for entry in plan.items if entry.change]
    return Plan(
        creates=creates,
        changes=[entry for entry in offered if entry.change and not entry.change.optional],
        offers=[entry for entry in offered if entry.change and entry.change.optional],
        skipped=[entry for entry in plan.items if entry.action == "skip"],
        unchanged_count=sum(1 for entry in plan.items if entry.action == "unchanged"),
        item_count=sum(entry.buyer.line_count for entry in creates),
        total=plan.create_total,
        currency=plan.currency,
        warnings=_warnings(creates, plan.items),
        plan_hash=plan.plan_hash,
        wishes=wishes,
    )


_REHEARSED: Final = "made_in_test_mode"
_REAL: Final = (
    "Make another show for the real sale; or connect the test keys again, void what is not paid, and generate anew with"
    " the live ones."
)
_SENTENCES: dict[PlanWarning, tuple[str, str, str, str, str]] = {
    "unpriced": (
        "tag",
        "1 buyer has an item with no price.",
        "{n} buyers have items with no price.",
        "The invoice stays in Draft until the price is set.",
        "Their invoices stay in Draft until the prices are set.",
    ),
    "below_minimum": (
        "triangle-alert",
        "1 buyer owes less than Stripe can charge.",
        "{n} buyers owe less than Stripe can charge.",
        "The invoice stays in Draft.",
        "Their invoices stay in Draft.",
    ),
    "no_email": (
        "mail-warning",
        "1 buyer has no e-mail address.",
        "{n} buyers have no e-mail address.",
        "You can copy the link and send it in a message.",
        "You can copy their links and send them in a message.",
    ),
    "many_lines": (
        "info",
        "1 buyer has more items than an invoice has lines.",
        "{n} buyers have more items than an invoice has lines.",
        "Some are put together in one line.",
        "Some are put together in one line.",
    ),
    "currency_conflict": (
        "triangle-alert",
        "1 buyer is billed in another currency at Stripe.",
        "{n} buyers are billed in another currency at Stripe.",
        "The invoice will fail.",
        "Their invoices will fail.",
    ),
    _REHEARSED: (
        "triangle-alert",
        "1 buyer has only an invoice that was made in test mode.",
        "{n} buyers have only invoices that were made in test mode.",
        f"It asks for no real money, and none is made beside it. {_REAL}",
        f"They ask for no real money, and none are made beside them. {_REAL}",
    ),
}


def _warnings(creates: list[PlanEntryView], everybody: list[PlanEntryView]) -> list[Warned]:
    """Of the invoices to make, and of those that are there only that they are of a rehearsal."""
    warned: list[Warned] = []
    for warning, (icon, one, many, after_one, after_many) in _SENTENCES.items():
        entries = everybody if warning == _REHEARSED else creates
        count = sum(warning in entry.warnings for entry in entries)
        if count:
            lead, after = (one, after_one) if count == 1 else (many, after_many)
            warned.append(Warned(warning, count, icon, lead.format(n=f"{count:,}"), after))
    return warned
