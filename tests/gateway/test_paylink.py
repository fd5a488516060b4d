"""The buyer's link: to the provider while there is something to pay, else a page that says why not."""

from typing import Any

import pytest

from services.common.errors import NotFound, Unavailable
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway


def link(**fields: Any) -> Any:
    return pb.ResolvePayLinkResponse(show_name="Friday <b>", handle="@anna", total=5896, currency="GBP", **fields)


async def test_a_payable_link_leads_to_the_provider(gateway: Gateway) -> None:
    url = "https://invoice.stripe.com/i/acct_1/test_x"
    gateway.invoicing.script("ResolvePayLink", link(status=pb.INVOICE_STATUS_SENT, external_url=url))
    answer = await gateway.client()("GET", "/p/token-1")
    assert (answer.status, answer.headers["Location"]) == (303, url)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    request = gateway.invoicing.last("ResolvePayLink")
    assert (request.token, request.count_opening) == ("token-1", False)
    assert gateway.invoicing.calls["ResolvePayLink"][0].identity.workspace_id == ""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (pb.INVOICE_STATUS_PAID, "is paid"),
        (pb.INVOICE_STATUS_VOID, "was cancelled"),
        (pb.INVOICE_STATUS_UNCOLLECTIBLE, "was closed"),
        (pb.INVOICE_STATUS_DRAFT, "being prepared"),
        (pb.INVOICE_STATUS_UNSPECIFIED, "being prepared"),
    ],
)
async def test_a_page_says_why_there_is_nothing_to_pay(gateway: Gateway, status: Any, says: str) -> None:
    gateway.invoicing.script("ResolvePayLink", link(status=status))
    answer = await gateway.client()("GET", "/p/token-1")
    assert answer.status == 200
    assert says in answer.text
    assert "£58.96" in answer.text
    assert "Friday &lt;b&gt;" in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for inline in ("<script", "<style", "style=", "http://", "https://"):
        assert inline not in answer.text


async def test_an_unknown_link_gets_a_page_with_404(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", NotFound(what="pay link"))
    answer = await gateway.client()("GET", "/p/" + "x" * 5000)
    assert answer.status == 404
    assert "Ask the seller" in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert len(gateway.invoicing.last("ResolvePayLink").token) == 200


async def test_a_service_that_is_away_asks_the_buyer_to_return(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", Unavailable())
    answer = await gateway.client()("GET", "/p/token-1")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_a_link_never_leads_into_a_script(gateway: Gateway) -> None:
    gateway.invoicing.script("ResolvePayLink", link(status=pb.INVOICE_STATUS_SENT, external_url="javascript:alert(1)"))
    answer = await gateway.client()("GET", "/p/token-1")
    assert answer.status == 200
    assert "javascript" not in answer.text
