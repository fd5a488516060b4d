"""A plan's page begins before the plan is made, and ends well whatever becomes of the plan."""

import asyncio

import pytest

from services.common.errors import Unavailable
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.gateway.harness import Gateway, Owner

SHOW = pb.Show(id="s1", name="Friday", state=pb.SHOW_STATE_ENDED, currency="GBP", buyer_count=1)
SHOW.create_time.FromSeconds(1_790_000_000)


@pytest.fixture(autouse=True)
def ready(gateway: Gateway) -> None:
    """A show whose buyers can be invoiced."""
    connection = integrations_pb2.Integration(provider="stripe", status=integrations_pb2.INTEGRATION_STATUS_ACTIVE)
    entry = integrations_pb2.CatalogEntry(provider="stripe", availability=integrations_pb2.AVAILABILITY_AVAILABLE)
    listed = integrations_pb2.ListedIntegration(entry=entry, connected=True, integration=connection)
    catalogue = integrations_pb2.ListIntegrationsResponse(integrations=[listed])
    gateway.integrations.script("ListIntegrations", catalogue)
    gateway.integrations.script("GetIntegration", integrations_pb2.GetIntegrationResponse(integration=connection))
    gateway.invoicing.script("GetShow", pb.GetShowResponse(show=SHOW))
    gateway.invoicing.script("GetShowSummary", pb.GetShowSummaryResponse(currency="GBP"))


@pytest.mark.parametrize("path", ["/shows/s1", "/shows/s1/plan"])
async def test_styles_and_scripts_are_named_before_the_plan_is_made(gateway: Gateway, owner: Owner, path: str) -> None:
    made = asyncio.Event()

    async def later(_: pb.PlanGenerationRequest) -> pb.PlanGenerationResponse:
        await made.wait()
        return pb.PlanGenerationResponse(currency="GBP", plan_hash="h1")

    gateway.invoicing.script("PlanGeneration", later)
    browser = await gateway.signed_in(owner)
    async with browser.session.get(browser.url + path) as answer:
        head = b""
        while b"/static/show.js" not in head:
            head += await answer.content.readany()
        assert b"<title>Friday" in head
        assert b"<body" not in head
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        made.set()
        page = (head + await answer.content.read()).decode()
    assert page.count("<!doctype html>") == page.count("</head>") == page.count("</html>") == 1
    assert 'value="h1"' in page


async def test_a_plan_that_cannot_be_made_is_told_on_the_page_that_was_begun(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("PlanGeneration", Unavailable())
    browser = await gateway.signed_in(owner)
    answer = await browser("GET", "/shows/s1/plan")
    assert Unavailable().message in answer.text
    assert answer.text.count("</head>") == answer.text.count("</html>") == 1
    part = await browser("GET", "/shows/s1/plan", headers={"HX-Request": "true"})
    assert part.status == 503


async def test_a_show_that_is_not_there_is_no_page_that_begins(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("GetShow", Unavailable())
    browser = await gateway.signed_in(owner)
    assert (await browser("GET", "/shows/s1/plan")).status == 503


async def test_what_no_run_can_change_is_told_so(gateway: Gateway, owner: Owner) -> None:
    """Of what was paid too much it stays told: nobody hears that it was given back."""
    part = pb.SummaryPart(amount=100, count=1)
    gateway.invoicing.script("GetShowSummary", pb.GetShowSummaryResponse(currency="GBP", moved=part, paid=part))
    for kind, hopeless in ((pb.CHANGE_KIND_NONE, True), (pb.CHANGE_KIND_REISSUE, False)):
        change = pb.PlannedChange(kind=kind, before=200, after=100, difference=-100)
        entry = pb.PlanEntry(buyer=pb.Buyer(line_count=1), action=pb.PLAN_ACTION_CHANGED, change=change)
        gateway.invoicing.script("PlanGeneration", pb.PlanGenerationResponse(entries=[entry], currency="GBP"))
        text = (await owner.client("GET", "/shows/s1")).text
        assert "1 invoice is not right any more" in text
        assert ("No run can change that" in text) is hopeless
