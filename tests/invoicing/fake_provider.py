"""A provider in memory, for the logic of the workers: idempotent like the real one, and told when to fail."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.common.context import Identity
from services.common.errors import Kind, ShowbillError
from services.common.ids import new_id
from services.invoicing.domain.evidence import Place, Theirs
from services.invoicing.domain.fairness import Account
from services.invoicing.domain.invoice import Standing
from services.invoicing.domain.sighting import Sighting
from services.invoicing.domain.terms import Terms
from services.invoicing.ports import Connection, Happened, Order
from services.invoicing.settle import Event

ACCOUNT = "acct_test"
LIMITS = Terms(
    currency="",
    livemode=False,
    account_id=ACCOUNT,
    minimum_totals={"GBP": 30, "USD": 50},
    maximum_total=99_999_999,
    maximum_lines=250,
)


class Refused(ShowbillError):
    """The provider refuses this buyer."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PROVIDER_REFUSED"


class Away(ShowbillError):
    """The provider is away."""

    kind = Kind.UNAVAILABLE
    reason = "PROVIDER_UNAVAILABLE"


class AnotherTotal(ShowbillError):
    """The provider has another total."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOTAL_MISMATCH"


class Elsewhere(ShowbillError):
    """Another account is connected now."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ACCOUNT_CHANGED"


class TooFast(ShowbillError):
    """Too many calls at once."""

    kind = Kind.RATE_LIMITED
    reason = "RATE_LIMITED"


@dataclass
class FakeProvider:
    """What it made stands in `made`, by our invoice id; `calls` counts the tries."""

    connected: Connection | None = field(
        default_factory=lambda: Connection(new_id(), "stripe", ACCOUNT, False, True, "", LIMITS)
    )
    made: dict[str, Sighting] = field(default_factory=dict)
    mails_to: dict[str, str] = field(default_factory=dict)
    """The address of its customer, by platform user id, where it is not the one that it was told."""
    draft_totals: dict[str, int] = field(default_factory=dict)
    """Of drafts, by our invoice id."""
    orders: defaultdict[str, list[Order]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[str] = field(default_factory=Counter)
    mailed: Counter[str] = field(default_factory=Counter)
    """Tries to mail that came through, by the delivery's id: the real one mails once for each."""
    mail_gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Mails wait until it is set; it is from the start."""
    mail_entered: Counter[str] = field(default_factory=Counter)
    """Tries to mail that began, by the delivery's id."""
    lists: list[tuple[datetime, datetime | None, str]] = field(default_factory=list)
    """What was asked of its list: from when to when, and the page."""
    made_later: set[str] = field(default_factory=set)
    """Ids at the provider of what is of another time than the one that is listed."""
    unlisted: list[ShowbillError] = field(default_factory=list)
    """What the next pages of its list answer instead."""
    unconnected: ShowbillError | None = None
    """What asking for the connection answers instead."""
    failures: dict[str, list[ShowbillError]] = field(default_factory=dict)
    """What the next tries of a buyer (by platform user id) answer instead."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Calls wait until it is set; it is from the start."""
    entered: Counter[Account] = field(default_factory=Counter)
    cut: set[str] = field(default_factory=set)
    """Verbs whose next call does its work, but whose answer is lost."""
    failures_after_cut: dict[str, list[ShowbillError]] = field(default_factory=dict)
    """What the tries after such a call answer instead."""
    changed: Counter[str] = field(default_factory=Counter)
    """Changes that were really made at the provider, by verb: doing it again makes none."""
    unreadable: ShowbillError | None = None
    """What readings answer instead."""
    marked: set[str] = field(default_factory=set)
    """Its ids of what was paid outside of it."""
    says_how_it_was_paid: bool = True
    """Whether it knows that of what is paid already."""
    keeps_lines: bool = False
    """What is final has other lines than a draft is to be brought to."""
    stubborn: bool = False
    """Drafts stay drafts, whatever is asked."""
    reads: int = 0
    unhurried: int = 0
    """Calls that yield to those that somebody waits for, of those to find and to void."""
    news: list[Event] = field(default_factory=list)
    """What happened, newest first."""
    garbled: list[str] = field(default_factory=list)
    """Its ids of invoices of which something happened that cannot be read."""
    page: int = 100
    extras: dict[Place, Theirs] = field(default_factory=dict)
    """What stands at the provider beside what was made."""
    hurry: Callable[[], Awaitable[None]] | None = None
    """What happens while one is looked at."""
    deaf: ShowbillError | None = None
    """What the list of what happened answers instead."""
    asked: list[tuple[Account, datetime, str]] = field(default_factory=list)
    """Each question after what happened: of whom, since when, which page."""

    def __post_init__(self) -> None:
        self.gate.set()
        self.mail_gate.set()

    async def connection(self, identity: Identity, provider: str) -> Connection | None:
        if self.unconnected:
            raise self.unconnected
        return self.connected if provider == "stripe" else None

    async def create(self, identity: Identity, order: Order) -> Sighting:
        self.calls[order.id] += 1
        self.entered[order.account] += 1
        self.orders[order.id].append(order)
        await self.gate.wait()
        failures = self.failures.get(order.buyer["platform_user_id"])
        if failures:
            raise failures.pop(0)
        if order.id in self.made and self.made[order.id].deleted:  # the next attempt makes another
            del self.made[order.id], self.draft_totals[order.id]
            raise Refused
        standing = Standing.HELD_BACK if order.keep_draft or self.stubborn else Standing.PAYABLE
        self.draft_totals.setdefault(order.id, order.total)
        self.made.setdefault(
            order.id, self._mailed(sighting_of(order.id, standing, order.total, order.currency), order)
        )
        if "create" in self.cut:
            self.cut.remove("create")
            raise Away
        return self.made[order.id]

    async def read(
        self, identity: Identity, account: Account, external_id: str, *, background: bool = False
    ) -> Sighting:
        self.reads += 1
        if self.unreadable:
            raise self.unreadable
        for sighting in self.made.values():
            if sighting.external_id == external_id:
                return sighting
        return Sighting(Standing.VOID, external_id=external_id, deleted=True)

    async def happened(self, identity: Identity, account: Account, since: datetime, page_token: str) -> Happened:
        self.asked.append((account, since, page_token))
        await self.gate.wait()
        if self.deaf:
            raise self.deaf
        found = [one for one in self.news if one.account == account and one.occurred_at >= since]
        start = int(page_token or 0)
        end = start + self.page
        return Happened(found[start:end], str(end) if end < len(found) else "", self.garbled)

    async def listed(
        self, identity: Identity, account: Account, since: datetime, until: datetime | None, page_token: str
    ) -> tuple[Sequence[Theirs], str]:
        await asyncio.sleep(0)  # as everything that goes over a wire
        self.lists.append((since, until, page_token))
        if self.unlisted:
            raise self.unlisted.pop(0)
        self._require_connected(account)
        mine = [self._theirs(one) for one in self.made if self.orders[one][-1].account == account]
        others = [one for one in self.extras.values() if one.external_id not in self.made_later]
        found = mine + [one for one in others if one.account == account]
        start = int(page_token or 0)
        end = start + self.page
        return found[start:end], str(end) if end < len(found) else ""

    async def look(self, identity: Identity, account: Account, external_id: str) -> Theirs | None:
        self.reads += 1
        if self.hurry:
            await self.hurry()
        known = [one for one, sighting in self.made.items() if sighting.external_id == external_id]
        return self._theirs(known[0]) if known else self.extras.get((account, external_id))

    def _theirs(self, invoice_id: str) -> Theirs:
        one, order = self.made[invoice_id], self.orders[invoice_id][-1]
        total = self.draft_totals[invoice_id] if one.total is None else one.total
        amounts = tuple(sorted(line.amount for line in one.lines)) or None
        known = Theirs(order.account, one.external_id, one.standing, total, one.currency, invoice_id)
        return replace(known, paid_at=one.paid_at, amounts=amounts)

    async def send(
        self, identity: Identity, account: Account, external_id: str, invoice_id: str, revision: int, delivery_id: str
    ) -> tuple[Sighting, str]:
        self.mail_entered[delivery_id] += 1
        await self.mail_gate.wait()
        failures = self.failures.get(external_id)
        if failures:
            raise failures.pop(0)
        self.mailed[delivery_id] += 1
        return self.made[invoice_id], ""

    async def void(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        *,
        background: bool = False,
    ) -> Sighting:
        self.unhurried += background
        extra = self.extras.get((account, external_id))
        if extra is not None:
            self._require_connected(account)
            self.extras[extra.place] = replace(extra, standing=max(extra.standing, Standing.VOID))
            return _sighted(self.extras[extra.place])
        known = await self._known("void", external_id)
        if known.standing is Standing.HELD_BACK:
            return self._change("void", invoice_id, replace(known, standing=Standing.VOID, deleted=True))
        return self._change("void", invoice_id, replace(known, standing=max(known.standing, Standing.VOID)))

    async def mark_paid(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        known = await self._known("mark_paid", external_id)
        if known.standing < Standing.VOID and known.total not in (None, total):
            raise AnotherTotal
        if known.standing is Standing.HELD_BACK:
            raise Refused
        if known.standing is Standing.VOID:
            return known
        before = known.standing is Standing.PAID
        outside = external_id in self.marked if before and self.says_how_it_was_paid else None
        if not before:
            self.marked.add(external_id)
        paid = replace(known, standing=Standing.PAID, paid_at=known.paid_at or datetime.now(UTC))
        return replace(self._change("mark_paid", invoice_id, paid), paid_before=before, paid_outside=outside)

    async def finalize(
        self,
        identity: Identity,
        account: Account,
        external_id: str,
        invoice_id: str,
        revision: int,
        total: int,
        currency: str,
    ) -> Sighting:
        known = await self._known("finalize", external_id)
        if known.standing is not Standing.HELD_BACK:
            return known
        if self.draft_totals[invoice_id] != total:
            raise Refused
        return self._change("finalize", invoice_id, sighting_of(invoice_id, Standing.PAYABLE, total, currency))

    async def update_draft(self, identity: Identity, order: Order, external_id: str) -> Sighting:
        known = await self._known("update_draft", external_id)
        if known.standing is not Standing.HELD_BACK:
            return replace(known, other_lines=self.keeps_lines and not known.deleted)
        self.orders[order.id].append(order)
        self.draft_totals[order.id] = order.total
        standing = Standing.HELD_BACK if order.keep_draft or self.stubborn else Standing.PAYABLE
        brought = sighting_of(order.id, standing, order.total, order.currency)
        return self._change("update_draft", order.id, self._mailed(brought, order))

    async def find(
        self,
        identity: Identity,
        account: Account,
        invoice_id: str,
        revision: int,
        buyer: dict[str, str],
        *,
        background: bool = False,
    ) -> Sighting | None:
        self.unhurried += background
        self.reads += 1
        if self.unreadable:
            raise self.unreadable
        self._require_connected(account)
        made_at = [order.account for order in self.orders[invoice_id]] or [account]
        if invoice_id in self.made and made_at[-1] == account:
            return self.made[invoice_id]
        left = [one for one in self.extras.values() if (one.account, one.invoice_id) == (account, invoice_id)]
        left.sort(key=lambda one: one.standing is Standing.VOID)
        return _sighted(left[0]) if left else None

    def _mailed(self, one: Sighting, order: Order) -> Sighting:
        return replace(one, mailed_to=self.mails_to.get(order.buyer["platform_user_id"], order.buyer["email"]))

    def _require_connected(self, account: Account) -> None:
        if self.connected is None or self.connected.account_id != account.account_id:
            raise Elsewhere

    async def _known(self, verb: str, external_id: str) -> Sighting:
        """What stands under this id when it is the call's turn, or the failure that was planned for it."""
        self.calls[verb] += 1
        await self.gate.wait()
        failures = self.failures.get(external_id)
        if failures:
            raise failures.pop(0)
        gone = Sighting(Standing.VOID, external_id=external_id, deleted=True)
        return next((one for one in self.made.values() if one.external_id == external_id), gone)

    def _change(self, verb: str, invoice_id: str, after: Sighting) -> Sighting:
        named = (key for key, one in self.made.items() if one.external_id == after.external_id)
        key = next(named, invoice_id)
        if self.made.get(key) != after:
            self.changed[verb] += 1
            self.made[key] = after
        if verb in self.cut:
            self.cut.remove(verb)
            self.failures |= self.failures_after_cut
            raise Away
        return after

    def now(self, invoice_id: str, **changes: object) -> None:
        """Changes an invoice at the provider."""
        self.made[invoice_id] = replace(self.made[invoice_id], **changes)  # type: ignore[arg-type]  # checked by replace


def _sighted(one: Theirs) -> Sighting:
    url = f"https://provider.example/{one.external_id}"
    seen = Sighting(one.standing, one.external_id, total=one.total, currency=one.currency, provider_url=url)
    return replace(seen, paid_at=one.paid_at)


def sighting_of(invoice_id: str, standing: Standing, total: int, currency: str = "GBP") -> Sighting:
    """As the provider tells of an invoice that it made for us."""
    external_id = "in_" + invoice_id.replace("-", "")
    final = standing is not Standing.HELD_BACK
    return Sighting(
        standing=standing,
        external_id=external_id,
        total=total if final else None,
        currency=currency,
        external_url=f"https://pay.example/{external_id}" if final else "",
        provider_url=f"https://provider.example/{external_id}",
        number=f"N-{external_id[-8:]}" if final else "",
    )
