"""What every adapter owes, as tests: inherit `AdapterContract`, or `KeysContract`, and give it a `subject`.

`docs/adding-an-adapter.md` says how.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.ids import new_id
from services.integrations.connection_values import ConnectedAccount, EndpointWish, Link
from services.integrations.failures import AdapterError, Failure
from services.integrations.invoice_values import (
    BadSignature,
    Binding,
    Buyer,
    DraftContent,
    EventPage,
    EventType,
    InvoiceOrder,
    InvoiceRef,
    InvoiceState,
    Line,
    MalformedEvent,
    ProviderEvent,
    ProviderInvoice,
)
from services.integrations.ports import IntegrationAdapter


@dataclass
class Subject:
    """An adapter under test, and what is true of its provider."""

    adapter: IntegrationAdapter
    good: Mapping[str, str]
    """Credentials that the provider takes."""
    malformed: Mapping[str, str]
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Well formed, but not taken: where the provider gives out keys."""
    signed: Any = None
    """`signed(body, secret)` makes the headers of a delivery; None where nobody tells of payments."""
    currency: str = "GBP"
    workspace_id: str = field(default_factory=new_id)

    async def connect(self) -> tuple[ConnectedAccount, Link]:
        credentials = self.adapter.read_credentials(self.good)
        account = await self.adapter.probe(credentials)
        return account, Link(self.workspace_id, new_id(), account.account_id, account.livemode, credentials)

    def content(self, *amounts: int, keep_draft: bool = False) -> DraftContent:
        """What a draft is to hold: a line for each amount."""
        return DraftContent(_lines(amounts), sum(amounts), self.currency, keep_draft)

    def order(self, *amounts: int, **values: Any) -> InvoiceOrder:
        lines = _lines(amounts or (500,))
        order = InvoiceOrder(
            invoice_id=new_id(),
            revision=1,
            attempt=1,
            first_attempt_time=None,
            buyer=Buyer("tiktok", new_id(), "@maya"),
            currency=self.currency,
            lines=lines,
            total=sum(line.amount for line in lines),
            keep_draft=False,
            memo="Friday live",
            days_until_due=7,
            payment_instructions="Transfer to the bank.",
        )
        return replace(order, **values)


def _lines(amounts: Sequence[int]) -> list[Line]:
    return [Line(str(place), f"Item {place}", 1, amount, amount) for place, amount in enumerate(amounts)]


def ref(made: ProviderInvoice) -> InvoiceRef:
    return InvoiceRef(made.external_id, made.invoice_id, made.revision)


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith(".")


class AdapterContract:
    """Needs a fixture `subject` that gives a fresh account with nothing in it."""

    async def test_malformed_credentials_are_refused_with_their_fields(self, subject: Subject) -> None:
        with pytest.raises(AdapterError) as refused:
            subject.adapter.read_credentials(subject.malformed)
        assert refused.value.failure is Failure.CREDENTIALS_MALFORMED
        assert refused.value.faults
        assert all(is_sentence(fault.problem) for fault in refused.value.faults)

    async def test_probe_names_account_and_permissions(self, subject: Subject) -> None:
        account, _ = await subject.connect()
        assert account.account_id
        assert all(one.granted and is_sentence(one.purpose) for one in account.permissions)
        assert all(is_sentence(warning) for warning in account.warnings)

    async def test_probe_twice_answers_the_same(self, subject: Subject) -> None:
        assert (await subject.connect())[0] == (await subject.connect())[0]

    async def test_limits_hold_together(self, subject: Subject) -> None:
        limits = subject.adapter.limits()
        assert limits.maximum_total > 0
        assert all(0 < one <= limits.maximum_total for one in limits.minimum_totals.values())
        assert min(limits.maximum_lines, limits.longest_memo, limits.longest_footer) > 0

    async def test_invoice_is_open_with_our_total_and_mark(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order(500, 1999)
        made = await subject.adapter.create_invoice(link, order)
        assert made.state is InvoiceState.OPEN
        assert (made.total, made.currency, made.amount_paid) == (2499, subject.currency, 0)
        assert (made.invoice_id, made.revision) == (order.invoice_id, 1)
        assert (made.account_id, made.livemode) == (link.account_id, link.livemode)
        assert made.number
        assert made.create_time
        assert sum(line.amount for line in made.lines) == 2499
        assert made.external_url or made.payment_instructions, "the buyer must learn how to pay"

    async def test_same_order_again_makes_nothing_new(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order()
        first = await subject.adapter.create_invoice(link, order)
        assert (await subject.adapter.create_invoice(link, order)).external_id == first.external_id
        assert len(await self._all(subject, link)) == 1

    async def test_same_order_at_once_makes_one_invoice(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order()
        tries = await asyncio.gather(
            *(subject.adapter.create_invoice(link, order) for _ in range(3)), return_exceptions=True
        )
        unsure = [one for one in tries if isinstance(one, BaseException)]
        assert all(isinstance(one, AdapterError) and one.retry_after for one in unsure)
        assert len(await self._all(subject, link)) == 1

    @pytest.mark.parametrize("keep_draft", [False, True])
    async def test_order_of_another_total_is_not_answered_with_the_old_invoice(
        self, subject: Subject, keep_draft: bool
    ) -> None:
        _, link = await subject.connect()
        order = subject.order(500, keep_draft=keep_draft)
        made = await subject.adapter.create_invoice(link, order)
        for other in (replace(order, lines=_lines((900,)), total=900), replace(order, currency="EUR")):
            with pytest.raises(AdapterError) as refused:
                await subject.adapter.create_invoice(link, other)
            assert refused.value.failure is Failure.TOTAL_MISMATCH
            assert is_sentence(refused.value.message)
        (left,) = await self._all(subject, link)
        assert (left.external_id, left.state, left.total) == (made.external_id, made.state, 500)

    async def test_draft_of_an_earlier_try_is_finalized(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order(keep_draft=True)
        draft = await subject.adapter.create_invoice(link, order)
        assert draft.state is InvoiceState.DRAFT
        made = await subject.adapter.create_invoice(link, replace(order, keep_draft=False))
        assert (made.external_id, made.state) == (draft.external_id, InvoiceState.OPEN)
        assert made.number
        again = await subject.adapter.create_invoice(link, replace(order, keep_draft=False))
        assert (again.state, again.number) == (InvoiceState.OPEN, made.number)
        assert len(await self._all(subject, link)) == 1

    async def test_numbers_of_invoices_are_never_the_same(self, subject: Subject) -> None:
        """A buyer writes it on a transfer: also of ids that end alike it must be another one."""
        _, link = await subject.connect()
        first, second, third = (f"0199aaaa-bbbb-7ccc-{end}12345678" for end in ("8ddd-a1b2", "8ddd-a1b3", "8dde-a1b2"))
        made = [await subject.adapter.create_invoice(link, subject.order(invoice_id=one)) for one in (first, second)]
        draft = await subject.adapter.create_invoice(link, subject.order(invoice_id=third, keep_draft=True))
        made.append(await subject.adapter.finalize_invoice(link, ref(draft), draft.total, draft.currency))
        assert len({one.number for one in made}) == 3

    async def test_next_revision_is_another_invoice(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order()
        first = await subject.adapter.create_invoice(link, order)
        second = await subject.adapter.create_invoice(link, replace(order, revision=2))
        assert first.external_id != second.external_id

    async def test_kept_draft_waits_until_it_is_finalized(self, subject: Subject) -> None:
        _, link = await subject.connect()
        draft = await subject.adapter.create_invoice(link, subject.order(keep_draft=True))
        assert (draft.state, draft.number, draft.external_url) == (InvoiceState.DRAFT, "", "")
        with pytest.raises(AdapterError) as refused:
            await subject.adapter.finalize_invoice(link, ref(draft), draft.total + 1, draft.currency)
        assert refused.value.failure is Failure.TOTAL_MISMATCH
        done = await subject.adapter.finalize_invoice(link, ref(draft), draft.total, draft.currency)
        assert done.state is InvoiceState.OPEN
        again = await subject.adapter.finalize_invoice(link, ref(draft), draft.total, draft.currency)
        assert (again.state, again.number) == (InvoiceState.OPEN, done.number)

    async def test_marking_paid_is_kept_and_final(self, subject: Subject) -> None:
        _, link = await subject.connect()
        made = await subject.adapter.create_invoice(link, subject.order())
        paid = await subject.adapter.mark_paid(link, ref(made))
        assert (paid.state, paid.amount_paid) == (InvoiceState.PAID, made.total)
        assert paid.paid_time
        again = await subject.adapter.mark_paid(link, ref(made))
        assert again.paid_time == paid.paid_time
        assert (paid.paid_before, again.paid_before, again.paid_outside) == (False, True, True)
        assert (await subject.adapter.void_invoice(link, ref(made))).state is InvoiceState.PAID
        assert (await subject.adapter.get_invoice(link, made.external_id)).state is InvoiceState.PAID

    async def test_voiding_is_final(self, subject: Subject) -> None:
        _, link = await subject.connect()
        made = await subject.adapter.create_invoice(link, subject.order())
        assert (await subject.adapter.void_invoice(link, ref(made))).state is InvoiceState.VOID
        assert (await subject.adapter.void_invoice(link, ref(made))).state is InvoiceState.VOID
        assert (await subject.adapter.mark_paid(link, ref(made))).state is InvoiceState.VOID

    @pytest.mark.parametrize("keep_draft", [False, True])
    async def test_next_attempt_after_a_void_makes_another(self, subject: Subject, keep_draft: bool) -> None:
        """What an attempt left was cleared away; the attempts that follow are not answered with it."""
        _, link = await subject.connect()
        order = subject.order(keep_draft=keep_draft)
        left = await subject.adapter.create_invoice(link, order)
        gone = await subject.adapter.void_invoice(link, ref(left))
        order = replace(order, attempt=2, lines=_lines((900,)), total=900)
        made = [await subject.adapter.create_invoice(link, order) for _ in range(2)]
        assert {(one.state, one.total) for one in made} == {
            (InvoiceState.DRAFT if keep_draft else InvoiceState.OPEN, 900)
        }
        assert made[0].external_id == made[1].external_id
        found = await subject.adapter.find_invoice(link, order.buyer, order.invoice_id, 1)
        assert found
        assert (found.external_id, gone.state) == (
            made[0].external_id,
            InvoiceState.DELETED if keep_draft else InvoiceState.VOID,
        )

    async def test_voided_draft_is_deleted(self, subject: Subject) -> None:
        _, link = await subject.connect()
        draft = await subject.adapter.create_invoice(link, subject.order(keep_draft=True))
        assert (await subject.adapter.void_invoice(link, ref(draft))).state is InvoiceState.DELETED
        assert (await subject.adapter.void_invoice(link, ref(draft))).state is InvoiceState.DELETED
        assert (await subject.adapter.get_invoice(link, draft.external_id)).state is InvoiceState.DELETED

    async def test_draft_is_never_marked_paid(self, subject: Subject) -> None:
        _, link = await subject.connect()
        draft = await subject.adapter.create_invoice(link, subject.order(keep_draft=True))
        with pytest.raises(AdapterError) as refused:
            await subject.adapter.mark_paid(link, ref(draft))
        assert refused.value.failure is Failure.PROVIDER_REFUSED
        assert is_sentence(refused.value.message)
        done = await subject.adapter.finalize_invoice(link, ref(draft), draft.total, draft.currency)
        assert (await subject.adapter.mark_paid(link, ref(done))).state is InvoiceState.PAID

    async def test_edited_draft_holds_the_new_lines_alone(self, subject: Subject) -> None:
        _, link = await subject.connect()
        draft = await subject.adapter.create_invoice(link, subject.order(500, 700, keep_draft=True))
        for amounts in ((100,), (200, 300), (100,), (100,)):
            edited = await subject.adapter.update_draft(link, ref(draft), subject.content(*amounts, keep_draft=True))
            assert (edited.external_id, edited.state) == (draft.external_id, InvoiceState.DRAFT)
            assert edited.total == sum(amounts)
            assert sorted(line.amount for line in edited.lines) == list(amounts)
        done = await subject.adapter.update_draft(link, ref(draft), subject.content(900, keep_draft=False))
        assert (done.state, done.total) == (InvoiceState.OPEN, 900)
        assert [line.amount for line in done.lines] == [900]
        assert len(await self._all(subject, link)) == 1

    async def test_what_is_no_draft_is_not_edited(self, subject: Subject) -> None:
        _, link = await subject.connect()
        made = await subject.adapter.create_invoice(link, subject.order(500))
        seen = await subject.adapter.update_draft(link, ref(made), subject.content(900, keep_draft=True))
        assert (seen.state, seen.total, seen.other_lines) == (InvoiceState.OPEN, 500, True)
        same = await subject.adapter.update_draft(link, ref(made), subject.content(500))
        split = await subject.adapter.update_draft(link, ref(made), subject.content(200, 300))
        assert (same.other_lines, split.other_lines) == (False, True), "though it comes to the same total"
        gone = InvoiceRef("in_nobody", made.invoice_id, 1)
        assert (await subject.adapter.update_draft(link, gone, subject.content(900))).state is InvoiceState.DELETED
        assert (await subject.adapter.finalize_invoice(link, gone, 900, "GBP")).state is InvoiceState.DELETED
        assert (await subject.adapter.mark_paid(link, gone)).state is InvoiceState.DELETED

    async def test_invoice_is_found_by_its_mark(self, subject: Subject) -> None:
        _, link = await subject.connect()
        order = subject.order()
        asked = (order.buyer, order.invoice_id, order.revision)
        assert await subject.adapter.find_invoice(link, *asked) is None
        made = await subject.adapter.create_invoice(link, order)
        found = await subject.adapter.find_invoice(link, *asked)
        assert found
        assert (found.external_id, found.state) == (made.external_id, InvoiceState.OPEN)
        assert await subject.adapter.find_invoice(link, order.buyer, order.invoice_id, 2) is None

    async def test_invoice_that_never_was_is_deleted(self, subject: Subject) -> None:
        _, link = await subject.connect()
        assert (await subject.adapter.get_invoice(link, "in_nobody")).state is InvoiceState.DELETED

    async def test_list_goes_through_all_pages_newest_first(self, subject: Subject) -> None:
        _, link = await subject.connect()
        made = [await subject.adapter.create_invoice(link, subject.order()) for _ in range(5)]
        found = await self._all(subject, link, size=2)
        assert [one.external_id for one in found] == [one.external_id for one in reversed(made)]

    async def test_list_keeps_to_the_time_that_is_asked_for(self, subject: Subject) -> None:
        _, link = await subject.connect()
        made = await subject.adapter.create_invoice(link, subject.order())
        now, day = datetime.now(UTC), timedelta(days=1)
        spans: list[tuple[datetime | None, datetime | None, list[str]]] = [
            (now - day, now + day, [made.external_id]),
            (None, now + day, [made.external_id]),
            (now - day, None, [made.external_id]),
            (now - 2 * day, now - day, []),
            (now + day, None, []),
        ]
        for since, until, there in spans:
            page = await subject.adapter.list_invoices(link, since, until, 100, "")
            assert ([one.external_id for one in page.invoices], page.next_after) == (there, "")

    async def test_healthy_connection_is_told_in_a_sentence(self, subject: Subject) -> None:
        _, link = await subject.connect()
        health = await subject.adapter.check(link, "", "", None)
        assert health.healthy
        assert is_sentence(health.sentence)
        assert not health.rejected

    async def test_endpoint_is_made_kept_and_removed(self, subject: Subject) -> None:
        _, link = await subject.connect()
        base = "https://showbill.example/hooks/"
        wish = EndpointWish(link.integration_id, link.workspace_id, base + link.integration_id, base)
        if not subject.adapter.has_webhooks:
            with pytest.raises(AdapterError) as refused:
                await subject.adapter.ensure_endpoint(link, wish)
            assert is_sentence(refused.value.message)
            return
        made = await subject.adapter.ensure_endpoint(link, wish)
        assert made.secret
        known = replace(wish, known_id=made.id, secret_known=True)
        kept = await subject.adapter.ensure_endpoint(link, known)
        assert (kept.id, kept.secret) == (made.id, None)
        health = await subject.adapter.check(link, made.id, wish.url, None)
        assert health.endpoint
        assert (health.endpoint.exists, health.endpoint.problem) == (True, "")
        await subject.adapter.remove_endpoint(link, made.id)
        await subject.adapter.remove_endpoint(link, made.id)
        gone = (await subject.adapter.check(link, made.id, wish.url, None)).endpoint
        assert gone
        assert not gone.exists
        assert is_sentence(gone.problem)

    async def test_delivery_needs_a_signature_of_the_connection(self, subject: Subject) -> None:
        _, link = await subject.connect()
        body = b'{"id": "evt_1"}'
        if subject.signed is None:
            with pytest.raises(BadSignature):
                subject.adapter.read_event(Binding(link.account_id, link.livemode, ()), body, {})
            return
        base = "https://showbill.example/hooks/"
        wish = EndpointWish(link.integration_id, link.workspace_id, base + link.integration_id, base)
        made = await subject.adapter.ensure_endpoint(link, wish)
        assert made.secret
        binding = Binding(link.account_id, link.livemode, [made.secret])
        unsigned: dict[str, str] = {}
        for headers in (unsigned, subject.signed(body, "another secret")):
            with pytest.raises(BadSignature):
                subject.adapter.read_event(binding, body, headers)
        with pytest.raises(MalformedEvent):
            subject.adapter.read_event(binding, b"[]", subject.signed(b"[]", made.secret.reveal()))

    async def test_what_happened_is_listed_newest_first(self, subject: Subject) -> None:
        _, link = await subject.connect()
        paid, voided, draft = [
            await subject.adapter.create_invoice(link, subject.order(keep_draft=held)) for held in (False, False, True)
        ]
        await subject.adapter.mark_paid(link, ref(paid))
        await subject.adapter.void_invoice(link, ref(voided))
        await subject.adapter.void_invoice(link, ref(draft))
        events = await self._changes(subject, link, size=2)
        if not subject.adapter.has_webhooks:
            assert events == [], "nothing ever changes by itself"
            return
        assert len({event.event_id for event in events}) == len(events)
        told = [(event.type, event.invoice.external_id) for event in events if event.invoice]
        assert told[:3] == [
            (EventType.DELETED, draft.external_id),
            (EventType.VOIDED, voided.external_id),
            (EventType.PAID, paid.external_id),
        ]
        news = next(event for event in events if event.type is EventType.PAID)
        assert (news.account_id, news.livemode) == (link.account_id, link.livemode)
        assert news.invoice
        assert (news.invoice.invoice_id, news.invoice.total) == (paid.invoice_id, paid.total)
        assert news.occur_time
        later = news.occur_time + timedelta(days=1)
        assert await subject.adapter.list_changed(link, later, 100, "") == EventPage([], "")

    async def _changes(self, subject: Subject, link: Link, size: int) -> list[ProviderEvent]:
        found: list[ProviderEvent] = []
        after = ""
        while True:
            page = await subject.adapter.list_changed(link, None, size, after)
            found += page.events
            after = page.next_after
            if not after:
                return found

    async def _all(self, subject: Subject, link: Link, size: int = 100) -> Sequence[ProviderInvoice]:
        found: list[ProviderInvoice] = []
        after = ""
        while True:
            page = await subject.adapter.list_invoices(link, None, None, size, after)
            found += page.invoices
            after = page.next_after
            if not after:
                return found


class KeysContract(AdapterContract):
    """For a provider that gives out keys, and so can say no to some."""

    async def test_rejected_credentials_are_refused_without_echo(self, subject: Subject) -> None:
        assert subject.rejected
        with pytest.raises(AdapterError) as refused:
            await subject.adapter.probe(subject.adapter.read_credentials(subject.rejected))
        assert refused.value.failure is Failure.CREDENTIALS_REJECTED
        assert is_sentence(refused.value.message)
        assert not any(
            value in refused.value.message + str(refused.value.details) for value in subject.rejected.values()
        )
