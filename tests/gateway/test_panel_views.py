"""What the invoice panel makes of an address, of a plan, and of what happened to an invoice: pure functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from jinja2 import Environment

from services.gateway.backends.invoice_views import detail, plan, row
from services.gateway.dashboard.formats import readers
from services.gateway.dashboard.views.chosen import Chosen, chosen_of, columns_of
from services.gateway.dashboard.views.money import pills_of
from services.gateway.dashboard.views.panel import Connection, are_rehearsed
from services.gateway.dashboard.views.plan import Wishes, plan_of
from services.gateway.dashboard.views.progress import time_left
from services.gateway.dashboard.views.tiles import Tile, groups_of
from services.gateway.dashboard.views.timeline import timeline_of
from services.gateway.schemas.invoices import DeliveryView, InvoiceChangeView, PlanView
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_an_address_says_what_is_chosen_and_strange_words_choose_nothing() -> None:
    query = {"status": "paid", "q": " @u&1 ", "sort": "-amount", "rows": "200", "page": "p", "run": "r", "sending": "s"}
    chosen = chosen_of("show", query)
    assert chosen == Chosen("show", "paid", "@u&1", "-amount", 200, "p", "r", "s")
    assert chosen.url() == "/shows/show?status=paid&q=%40u%261&sort=-amount&rows=200&run=r&sending=s"
    assert chosen.url(page="p2", status="", sort="", search="", size=50, run="", sending="") == "/shows/show?page=p2"
    assert chosen_of("show", {"status": "no", "sort": "no", "rows": "51"}) == Chosen("show")


def test_rows_hold_still_while_a_run_is_on() -> None:
    assert Chosen("show").query(running=True).sort == ""
    assert Chosen("show").query(running=False).sort == "status"
    assert Chosen("show", sort="amount").query(running=True).sort == "amount"


def test_a_column_is_turned_round_by_a_second_press() -> None:
    once = {column.label: column for column in columns_of(Chosen("show", sort="amount"))}
    assert (once["Amount"].direction, once["Amount"].href) == ("ascending", "/shows/show?sort=-amount")
    assert (once["Buyer"].direction, once["Buyer"].href) == ("", "/shows/show?sort=handle")
    assert once["Invoice"].href == ""


def test_filters_put_statuses_together() -> None:
    pills = {label: count for _, label, count in pills_of({"sent": 2, "payment_failed": 1, "paid": 4})}
    assert pills == {"All": 7, "Draft": 0, "Sent": 3, "Paid": 4, "Error": 0, "Void": 0}
    assert ("queued", "Queued", 1) in pills_of({"pending": 1})


def _plan() -> PlanView:
    def entry(action: pb.PlanAction.ValueType, kind: Any = None, optional: bool = False) -> pb.PlanEntry:
        change = pb.PlannedChange(kind=kind, before=100, after=130, difference=30, optional=optional) if kind else None
        return pb.PlanEntry(buyer=pb.Buyer(line_count=2), action=action, change=change)

    changed, unchanged = pb.PLAN_ACTION_CHANGED, pb.PLAN_ACTION_UNCHANGED
    return plan(
        pb.PlanGenerationResponse(
            entries=[
                entry(pb.PLAN_ACTION_CREATE),
                entry(changed, pb.CHANGE_KIND_REISSUE),
                entry(changed, pb.CHANGE_KIND_NONE),
                entry(unchanged, pb.CHANGE_KIND_REISSUE, optional=True),
                entry(unchanged),
            ],
            plan_hash="hash",
            currency="GBP",
        )
    )


def test_a_press_says_what_it_does_with_each_tick() -> None:
    nothing, changes, both = (plan_of(_plan(), wish) for wish in (Wishes(), Wishes(True), Wishes(True, True)))
    assert nothing.press == "Generate 1 invoice"
    assert changes.press == "Generate 1 invoice, apply 1 change"  # the one to be done by hand is none of a run's
    assert both.press == "Generate 1 invoice, apply 2 changes"
    assert (both.possible_count, len(both.changes), len(both.offers), both.difference) == (1, 2, 1, 60)
    only = msgspec.structs.replace(_plan(), items=_plan().items[1:])
    assert plan_of(only).idle
    assert plan_of(only, Wishes(True)).press == "Apply 1 change"
    assert replace(nothing, sends=True).press == "Generate and send 1 invoice"
    assert not plan_of(only).nothing_left


def test_a_page_holds_as_many_without_an_address_as_it_shows_rows() -> None:
    (first, *_) = (entry for entry in _plan().items if entry.action == "create")
    entries = [
        msgspec.structs.replace(first, total=n, warnings=["no_email"] if n in (1, 5, 6, 7) else []) for n in range(8)
    ]
    plan = plan_of(msgspec.structs.replace(_plan(), items=entries))
    listed = [(entry.total, beyond) for entry, beyond in plan.listed(3)]
    assert listed == [(0, False), (1, False), (2, False), (5, True), (6, True)]
    assert [beyond for _, beyond in plan.listed(50)] == [False] * 8


def test_a_plan_says_whose_invoices_ask_for_no_real_money() -> None:
    """They are right as they are, and would else be counted and not looked at."""
    (*others, last) = _plan().items
    assert not plan_of(_plan()).rehearsed
    told = msgspec.structs.replace(last, warnings=["no_email", "made_in_test_mode"])
    plan = plan_of(msgspec.structs.replace(_plan(), items=[*others, told]))
    assert plan.rehearsed
    assert [(one.warning, one.lead) for one in plan.warnings] == [
        ("made_in_test_mode", "1 buyer has only an invoice that was made in test mode.")
    ]


def test_a_list_says_that_its_invoices_are_of_test_mode_once_stripe_is_live() -> None:
    live = Connection(connected=True, healthy=True, reason="", livemode=True)

    def told(connection: Connection = live, **values: Any) -> bool:
        made: dict[str, Any] = {"provider": "stripe", "external_id": "in_1", "status": pb.INVOICE_STATUS_PAID} | values
        return are_rehearsed(connection, [row(pb.Invoice(**made))])

    assert told()
    assert not told(replace(live, livemode=False))
    assert not told(livemode=True)
    assert not told(status=pb.INVOICE_STATUS_VOID)
    assert not told(provider="manual")
    assert not told(external_id="")


def test_a_provider_that_nobody_put_in_a_group_has_a_tile_all_the_same() -> None:
    tiles = [Tile(name, name, "", "", "soon", "", "", "") for name in ("quickbooks", "new", "square", "stripe")]
    grouped = [(title, [tile.name for tile in some]) for title, some in groups_of(tiles)]
    assert grouped == [("Payments", ["square", "stripe"]), ("Accounting", ["quickbooks"]), ("More", ["new"])]


def test_time_left_is_said_as_people_say_it() -> None:
    assert [time_left(seconds) for seconds in (None, 3.0, 70.0, 150.0)] == [
        "",
        "less than a minute left",
        "about 1 minute left",
        "about 2 minutes left",
    ]


def test_a_timeline_puts_changes_deliveries_and_openings_in_one_order() -> None:
    def change(minute: int, before: Any, after: Any, actor: str) -> InvoiceChangeView:
        return InvoiceChangeView(before, after, "Why.", actor, NOON + timedelta(minutes=minute), minute, "")

    message = pb.Invoice(status=pb.INVOICE_STATUS_SENT, opened_count=3)
    message.first_opened_time.FromDatetime(NOON + timedelta(minutes=4))
    delivery = DeliveryView(
        id="d", invoice_id="i", channel="email", state="failed", reason="Stripe refused.", message="", link="",
        sending_id="", automatic=True, actor="user:u1", created_at=NOON + timedelta(minutes=2), finished_at=None,
    )  # fmt: skip
    changes = [
        change(0, None, "pending", "user:u1"),
        change(1, "pending", "draft", "worker:generation"),
        change(3, "draft", "sent", "user:gone"),
        change(5, "sent", "paid", "event:evt_1"),
        change(6, "paid", "paid", "token:t"),
    ]
    events = timeline_of(detail(message), changes, [delivery], {"u1": "Robin"})
    assert [(event.title, event.who) for event in events] == [
        ("Noted", "A program, with an API token"),
        ("Paid", "Stripe"),
        ("Buyer opened the link", "Buyer"),
        ("Sent", "Somebody who has left"),
        ("Link was not sent by e-mail", "Showbill, as your settings say"),
        ("Draft", "Showbill"),
        ("Queued", "Robin"),
    ]
    assert events[2].sentence == "Opened 3 times by now."
    by_hand = msgspec.structs.replace(delivery, channel="manual", state="delivered", message="Hi! /p/t")
    assert timeline_of(detail(message), [], [by_hand], {})[-1].message == "Hi! /p/t"


@pytest.mark.parametrize(
    ("currency", "locale", "sentence", "read"),
    [
        ("USD", "en_GB", "It was $1,161.50, now it is $36.00.", "It was US$1,161.50, now it is US$36.00."),
        ("EUR", "de_DE", "Over €1,036.05. The link stays.", "Over 1.036,05\xa0€. The link stays."),
        ("JPY", "ja_JP", "Brought from ¥1,250 to ¥10.", "Brought from ￥1,250 to ￥10."),
        ("JPY", "en_US", "It was ¥1,250, now it is ¥10.", "It was ¥1,250, now it is ¥10."),
        ("SEK", "sv_SE", "SEK12.00 is settled.", "12,00\xa0kr is settled."),
        ("USD", "de_DE", "2 items, $ 5 and £1.00 are left.", "2 items, $ 5 and £1.00 are left."),
    ],
)
def test_sentences_of_the_services_name_money_as_the_reader_does(
    currency: str, locale: str, sentence: str, read: str
) -> None:
    template = Environment(autoescape=True)
    template.filters["readers"] = readers
    assert (
        template.from_string("{{ sentence|readers(currency) }}").render(
            sentence=sentence, currency=currency, locale=locale
        )
        == read
    )
