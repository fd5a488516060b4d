"""What is sent to Stripe and what is read from it: pure, and the same at every try."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.templates import render
from services.integrations.adapters.stripe.amounts import from_stripe, to_stripe
from services.integrations.adapters.stripe.limits import LIMITS
from services.integrations.adapters.stripe.mapping import InvoiceMapper
from services.integrations.adapters.stripe.parameters import (
    customer_parameters,
    invoice_parameters,
    lines_parameters,
    marked,
)
from services.integrations.connection_values import Link
from services.integrations.failures import AdapterError
from services.integrations.invoice_values import Buyer, InvoiceOrder, InvoiceState, Line

LINK = Link("workspace-1", "integration-1", "acct_1", livemode=False, credentials={})
BUYER = Buyer("tiktok", "u-1", "@maya.k", "Maya K")
HEART = Line("85123A", "WHITE HANGING HEART", 12, 255, 3060)
ORDER = InvoiceOrder(
    invoice_id="i-1",
    revision=2,
    attempt=0,
    first_attempt_time=None,
    buyer=BUYER,
    currency="GBP",
    lines=[HEART],
    total=3060,
    keep_draft=False,
    memo="Friday live, 2010-12-01",
    days_until_due=7,
)
MAPPER = InvoiceMapper("https://dashboard.stripe.com/")


def test_order_without_email_is_payable_and_mails_nothing() -> None:
    assert invoice_parameters(LINK, ORDER, "cus_1") == {
        "customer": "cus_1",
        "currency": "gbp",
        "auto_advance": False,
        "collection_method": "charge_automatically",
        "pending_invoice_items_behavior": "exclude",
        "description": "Friday live, 2010-12-01",
        "metadata": {"showbill_invoice": "i-1", "showbill_revision": "2", "showbill_workspace": "workspace-1"},
    }


def test_order_with_email_is_due_in_days_not_at_a_date() -> None:
    order = replace(ORDER, buyer=replace(BUYER, email="maya@example.com"))
    parameters = invoice_parameters(LINK, order, "cus_1")
    assert (parameters["collection_method"], parameters["days_until_due"]) == ("send_invoice", 7)
    assert "due_date" not in parameters


def test_parameters_are_the_same_bytes_every_time() -> None:
    first, second = (
        json.dumps([invoice_parameters(LINK, ORDER, "cus_1"), lines_parameters(ORDER.lines, "GBP")]) for _ in range(2)
    )
    assert first == second


def test_line_says_quantity_number_and_title() -> None:
    (line,) = lines_parameters([HEART], "GBP")["lines"]
    assert line == {
        "amount": 3060,
        "description": "12 × 85123A WHITE HANGING HEART",
        "metadata": {"quantity": "12", "item_number": "85123A", "unit_price": "255"},
    }


def test_unpriced_line_says_so_even_when_its_title_is_long() -> None:
    (line,) = lines_parameters([replace(HEART, title="X" * 6000, unit_price=None, amount=0)], "GBP")["lines"]
    assert line["amount"] == 0
    assert len(line["description"]) == 5000
    assert line["description"].endswith(" (no price yet)")


@pytest.mark.parametrize("count", [1, 249, 250])
def test_up_to_the_limit_every_line_is_shown(count: int) -> None:
    assert len(lines_parameters([HEART] * count, "GBP")["lines"]) == count


def test_beyond_the_limit_the_rest_is_one_line() -> None:
    lines = lines_parameters([*[HEART] * 250, replace(HEART, unit_price=None, amount=0)], "GBP")["lines"]
    assert len(lines) == 250
    assert lines[-1] == {
        "amount": 3060,
        "description": "2 further items (1 with no price yet)",
        "metadata": {"quantity": "24", "items": "2"},
    }


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=600))
def test_lines_always_sum_to_the_total(prices: list[int]) -> None:
    lines = lines_parameters([Line("n", "t", 1, price, price) for price in prices], "EUR")["lines"]
    assert sum(line["amount"] for line in lines) == sum(prices)
    assert len(lines) <= LIMITS.maximum_lines


def test_customer_is_named_for_the_reader_and_marked_for_us() -> None:
    parameters = marked(customer_parameters(LINK, replace(BUYER, display_name="")), "record-1")
    assert parameters["name"] == "@maya.k"
    assert "email" not in parameters
    assert parameters["metadata"] == {
        "showbill_workspace": "workspace-1",
        "showbill_customer": "record-1",
        "platform": "tiktok",
        "platform_user_id": "u-1",
    }


def test_names_are_cut_to_what_stripe_takes() -> None:
    parameters = customer_parameters(LINK, Buyer("p", "u" * 900, "h" * 900, "n" * 900, "e" * 900))
    metadata: Any = parameters["metadata"]
    assert [len(str(parameters[name])) for name in ("name", "description", "email")] == [256, 256, 512]
    assert len(metadata["platform_user_id"]) == 500


@pytest.mark.parametrize(
    ("amount", "currency", "stripes"),
    [(1050, "GBP", 1050), (500, "JPY", 500), (500, "ISK", 50_000), (1500, "UGX", 150_000), (200, "MGA", 2)],
)
def test_minor_units_are_stripes_own(amount: int, currency: str, stripes: int) -> None:
    assert to_stripe(amount, currency) == stripes
    assert from_stripe(stripes, currency) == amount


def test_amount_that_stripe_cannot_express_is_refused() -> None:
    with pytest.raises(AdapterError, match="whole MGA only"):
        to_stripe(150, "MGA")


def stripes_invoice(**values: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "in_1",
        "status": "open",
        "total": 3060,
        "amount_paid": 0,
        "currency": "gbp",
        "created": 1_700_000_000,
        "hosted_invoice_url": "https://invoice.example/1",
        "number": "A-0001",
        "metadata": {"showbill_invoice": "i-1", "showbill_revision": "2"},
        "latest_revision": None,
        "collection_method": "charge_automatically",
        "status_transitions": {"finalized_at": 1_700_000_100, "paid_at": None},
        "lines": {"has_more": False, "data": [{"description": "12 × HEART", "amount": 3060}]},
    }
    return fields | values


def test_invoice_is_read_in_our_words() -> None:
    found = MAPPER.invoice(stripes_invoice(), "acct_1", livemode=False)
    assert (found.state, found.total, found.currency, found.number) == (InvoiceState.OPEN, 3060, "GBP", "A-0001")
    assert (found.invoice_id, found.revision) == ("i-1", 2)
    assert found.finalize_time == datetime.fromtimestamp(1_700_000_100, UTC)
    assert found.paid_time is None
    assert [line.amount for line in found.lines] == [3060]


@pytest.mark.parametrize(("livemode", "part"), [(False, "acct_1/test/invoices/in_1"), (True, "acct_1/invoices/in_1")])
def test_provider_url_leads_to_the_right_mode(livemode: bool, part: str) -> None:
    found = MAPPER.invoice(stripes_invoice(), "acct_1", livemode=livemode)
    assert found.provider_url == f"https://dashboard.stripe.com/{part}"


def test_strangers_invoice_is_not_taken_for_ours() -> None:
    found = MAPPER.invoice(stripes_invoice(metadata={}), "acct_1", livemode=False)
    assert (found.invoice_id, found.revision) == ("", 0)


@pytest.mark.parametrize("revision", ["x", "-1", "١", "9" * 20, 7])
def test_revision_edited_by_hand_breaks_nothing(revision: object) -> None:
    metadata = {"showbill_invoice": "i-1", "showbill_revision": revision}
    assert MAPPER.invoice(stripes_invoice(metadata=metadata), "acct_1", livemode=False).revision == 0


def test_lines_that_are_not_all_there_are_left_out() -> None:
    lines = {"has_more": True, "data": [{"description": "1", "amount": 1}]}
    assert MAPPER.invoice(stripes_invoice(lines=lines), "acct_1", livemode=False).lines == ()


def test_replacement_at_stripe_is_told() -> None:
    found = MAPPER.invoice(stripes_invoice(latest_revision="in_2"), "acct_1", livemode=False)
    assert found.replaced_by == "in_2"


def test_what_an_edited_invoice_replaces_is_told() -> None:
    origin = {"action": "revision", "invoice": "in_0"}
    assert MAPPER.invoice(stripes_invoice(from_invoice=origin), "acct_1", livemode=False).replaces == "in_0"
    assert MAPPER.invoice(stripes_invoice(from_invoice=None), "acct_1", livemode=False).replaces == ""


def test_memo_leaves_nothing_behind_for_what_is_missing() -> None:
    template = "{show_name}, {show_date}"
    assert render(template, {"show_name": "Friday", "show_date": "2010-12-01"}) == "Friday, 2010-12-01"
    assert render(template, {"show_name": "Friday", "show_date": ""}) == "Friday"
