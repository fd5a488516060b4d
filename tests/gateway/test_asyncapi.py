"""The WebSocket described: what is told is what is described."""

from typing import Any

from jsonschema import Draft202012Validator

from services.gateway.asyncapi import KINDS, describe
from services.gateway.examples.live import TOLD
from services.gateway.identity.access import RULES
from services.rpc.showbill.events.v1 import events_pb2
from tests.gateway.harness import Gateway, Owner, paid_event, publisher
from tests.gateway.test_realtime import heard


def validator(description: dict[str, Any], kind: str) -> Draft202012Validator:
    """Of one message; its references lead into the description."""
    message = description["components"]["messages"][kind]["payload"]
    return Draft202012Validator({**message, "components": description["components"]})


async def test_what_is_told_is_what_is_described(gateway: Gateway, owner: Owner) -> None:
    answer = await gateway.client()("GET", "/api/asyncapi.json")
    assert (answer.status, answer.json["asyncapi"]) == (200, "3.0.0")
    show = gateway.own_show(owner.workspace_id, seq=4)
    async with owner.client.listen(f"?show_id={show}&since=3") as socket, publisher(gateway.nats_url) as publish:
        (hello,) = await heard(socket, 1)
        await publish(paid_event(owner.workspace_id, show, 5))
        (updated,) = await heard(socket, 1)
    for message in (hello, updated):
        assert list(validator(answer.json, message["type"]).iter_errors(message)) == []
    broken = {**updated, "data": {**updated["data"], "total": "12.50"}}
    assert list(validator(answer.json, "invoice.updated").iter_errors(broken))


def test_every_event_of_the_bus_is_described() -> None:
    payloads = events_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    told = {kind.replace(".", "_") for kind in KINDS}
    assert {field.name for field in payloads} <= told
    assert told - {field.name for field in payloads} == {"hello", "ping", "resync"}
    assert ("WS", "/api/realtime") in RULES


def test_every_message_has_an_example_that_is_as_described() -> None:
    description = describe()
    assert list(TOLD) == list(KINDS)
    for kind, described in description["components"]["messages"].items():
        (example,) = (one["payload"] for one in described["examples"])
        assert example["type"] == kind
        assert list(validator(description, kind).iter_errors(example)) == []
