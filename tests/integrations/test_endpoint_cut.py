"""A webhook endpoint whose making was cut off: none is left behind whose secret nobody knows."""

from typing import Any

import pytest

from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop

CREATE = "webhook_endpoints.create"


async def hears(shop: Shop) -> bool:
    """Whether what the account's one endpoint signs is taken."""
    secret = (await shop.sandbox.webhook_endpoint(shop.account.id))["secret"]
    (verdict,) = await shop.caller.verify(shop.delivery((await shop.connection()).id, secret))
    return verdict.outcome == pb.WEBHOOK_OUTCOME_VERIFIED


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"effect": "cut"}, {"effect": "error", "status": 500}], ids=["cut", "500"])
async def test_endpoint_is_made_once_whatever_is_cut_off(shop: Shop, fault: dict[str, Any], when: str) -> None:
    await shop.fault(CREATE, when=when, **fault)
    done = await shop.connect()
    assert done.integration.update_mode == pb.UPDATE_MODE_LIVE
    assert await hears(shop)


async def test_endpoint_that_cannot_be_made_leaves_nothing_and_polls(shop: Shop) -> None:
    fault = await shop.fault(CREATE, "error", when="after", times=None)
    done = await shop.connect()
    assert done.integration.update_mode == pb.UPDATE_MODE_POLLING
    assert "and it is tried again." in done.integration.update_mode_reason
    assert await shop.endpoints() == []

    await shop.sandbox.remove_fault(fault)
    await shop.replace()
    assert (await shop.connection()).update_mode == pb.UPDATE_MODE_LIVE
    assert await hears(shop)


async def test_failed_replacement_of_an_endpoint_keeps_the_one_there_is(connected: Shop) -> None:
    endpoint = await connected.endpoint()
    lacking = {"enabled_events[0]": "invoice.paid"}
    await connected.stripe("POST", f"/v1/webhook_endpoints/{endpoint['id']}", lacking)
    await connected.fault(CREATE, "error", when="after", times=None)
    await connected.replace()
    assert (await connected.endpoint())["id"] == endpoint["id"]
    assert await hears(connected)
