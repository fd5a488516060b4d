"""The WebSocket: whole events, once, in order, to those who may hear them."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from services.gateway.identity.tokens import ApiTokens
from services.gateway.realtime import channel, listener
from services.rpc.showbill.events.v1 import events_pb2 as events
from tests.conftest import DatabaseMaker
from tests.gateway.harness import Gateway, Owner, paid_event, publisher, running_gateway
from tests.waiting import eventually

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
}
"""What makes a request one for a socket."""


async def heard(socket: Any, count: int) -> list[dict[str, Any]]:
    """The next messages, without the heartbeats that may come in between."""
    told: list[dict[str, Any]] = []
    while len(told) < count:
        message = json.loads((await asyncio.wait_for(socket.receive(), 30)).data)
        told += [message] if message["type"] != "ping" else []
    return told


async def closed_with(socket: Any) -> int:
    """The code that the socket is closed with; what comes before is read away."""
    while True:
        message = await asyncio.wait_for(socket.receive(), 30)
        if message.type is aiohttp.WSMsgType.CLOSE:
            return int(message.data)
        assert message.type is aiohttp.WSMsgType.TEXT


async def test_hello_comes_first_with_the_position(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id, seq=17)
    async with owner.client.listen(f"?show_id={show}") as socket:
        (hello,) = await heard(socket, 1)
    assert hello["at"]
    del hello["at"]
    assert hello == {
        "v": 1,
        "type": "hello",
        "id": "",
        "seq": 17,
        "showId": show,
        "data": {"seq": 17, "behind": False},
    }


@pytest.mark.parametrize(("since", "behind"), [(0, True), (16, True), (17, False), (18, True)])
async def test_hello_says_whether_the_client_is_behind(
    gateway: Gateway, owner: Owner, since: int, behind: bool
) -> None:
    show = gateway.own_show(owner.workspace_id, seq=17)
    async with owner.client.listen(f"?show_id={show}&since={since}") as socket:
        (hello,) = await heard(socket, 1)
    assert hello["data"]["behind"] is behind


async def test_an_event_is_told_whole_and_once(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id, seq=4)
    first, last = (paid_event(owner.workspace_id, show, seq) for seq in (5, 6))
    again = paid_event(owner.workspace_id, show, 5, first.invoice_updated.invoice_id)
    async with owner.client.listen(f"?show_id={show}") as socket, publisher(gateway.nats_url) as publish:
        await heard(socket, 1)
        for event in (first, first, again, last):
            await publish(event)
        told = await heard(socket, 2)
    assert [message["id"] for message in told] == [first.id, last.id]
    assert [message["seq"] for message in told] == [5, 6]
    assert told[0]["type"] == "invoice.updated"
    assert told[0]["showId"] == told[0]["data"]["showId"] == show
    assert (told[0]["data"]["status"], told[0]["data"]["total"]) == ("paid", 1250)


async def test_events_out_of_order_are_told_in_order(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "PATIENCE", 30)
    show = gateway.own_show(owner.workspace_id, seq=4)
    async with owner.client.listen(f"?show_id={show}") as socket, publisher(gateway.nats_url) as publish:
        await heard(socket, 1)
        for seq in (6, 7, 5, 8):
            await publish(paid_event(owner.workspace_id, show, seq))
        assert [message["seq"] for message in await heard(socket, 4)] == [5, 6, 7, 8]


async def test_a_gap_makes_the_client_read_anew(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "PATIENCE", 0.05)
    show = gateway.own_show(owner.workspace_id, seq=4)
    async with owner.client.listen(f"?show_id={show}") as socket, publisher(gateway.nats_url) as publish:
        await heard(socket, 1)
        await publish(paid_event(owner.workspace_id, show, 7))
        resync, seventh = await heard(socket, 2)
        await publish(paid_event(owner.workspace_id, show, 6))
        (late,) = await heard(socket, 1)
    assert resync["type"] == "resync"
    assert resync["data"]["reason"].endswith(".")
    assert (seventh["seq"], late["seq"]) == (7, 6)


async def test_nobody_hears_another_workspace_or_show(gateway: Gateway, owner: Owner) -> None:
    other = await gateway.make_owner()
    show = gateway.own_show(owner.workspace_id)
    async with (
        owner.client.listen(f"?show_id={show}") as on_show,
        owner.client.listen() as on_all,
        other.client.listen() as stranger,
        publisher(gateway.nats_url) as publish,
    ):
        for socket in (on_show, on_all, stranger):
            await heard(socket, 1)
        mine = paid_event(owner.workspace_id, show, 1)
        elsewhere = paid_event(owner.workspace_id, new_id(), 9)
        theirs = paid_event(other.workspace_id, new_id(), 3)
        for event in (elsewhere, theirs, mine):
            await publish(event)
        assert [message["id"] for message in await heard(on_all, 2)] == [elsewhere.id, mine.id]
        assert [message["id"] for message in await heard(on_show, 1)] == [mine.id]
        assert [message["id"] for message in await heard(stranger, 1)] == [theirs.id]


async def test_what_concerns_no_show_goes_to_all_of_the_workspace(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id, seq=4)
    event = events.Event(
        id=new_id(),
        type="integration.updated",
        workspace_id=owner.workspace_id,
        integration_updated=events.IntegrationUpdated(provider="stripe", status="active"),
    )
    async with (
        owner.client.listen(f"?show_id={show}") as on_show,
        owner.client.listen() as on_all,
        publisher(gateway.nats_url) as publish,
    ):
        for socket in (on_show, on_all):
            await heard(socket, 1)
        await publish(event)
        for socket in (on_show, on_all):
            (message,) = await heard(socket, 1)
            assert message["data"] == {"provider": "stripe", "status": "active", "statusReason": ""}


async def test_events_on_the_way_during_hello_are_not_lost(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id, seq=5)
    answer = gateway.invoicing.answer_of("GetShow")
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        reading.set()
        await go_on.wait()
        return answer(request)

    gateway.invoicing.script("GetShow", slow)
    async with owner.client.listen(f"?show_id={show}") as socket, publisher(gateway.nats_url) as publish:
        await reading.wait()
        witness = await gateway.make_owner()
        async with witness.client.listen() as other:
            await heard(other, 1)
            for seq in (5, 6):
                await publish(paid_event(owner.workspace_id, show, seq))
            marker = paid_event(witness.workspace_id, new_id(), 1)
            await publish(marker)
            await heard(other, 1)  # by now the gateway has heard the others too
        go_on.set()
        hello, news = await heard(socket, 2)
    assert (hello["type"], hello["seq"], news["seq"]) == ("hello", 5, 6)


@pytest.mark.parametrize("of_another", [True, False])
async def test_a_show_that_is_not_yours_closes_with_4404(gateway: Gateway, owner: Owner, of_another: bool) -> None:
    show = gateway.own_show((await gateway.make_owner()).workspace_id) if of_another else gateway.own_show("nobody")
    async with owner.client.listen(f"?show_id={show}") as socket:
        assert await closed_with(socket) == listener.SHOW_NOT_FOUND


async def test_an_id_that_is_none_closes_with_4404(gateway: Gateway, owner: Owner) -> None:
    async with owner.client.listen("?show_id=not-an-id%00") as socket:
        assert await closed_with(socket) == listener.SHOW_NOT_FOUND
    assert not gateway.invoicing.calls


async def test_a_show_may_be_named_in_other_letters(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id)
    async with owner.client.listen(f"?show_id={show.upper()}") as socket, publisher(gateway.nats_url) as publish:
        assert (await heard(socket, 1))[0]["showId"] == show
        await publish(paid_event(owner.workspace_id, show, 1))
        assert (await heard(socket, 1))[0]["seq"] == 1


async def test_a_socket_is_told_to_come_again_while_our_own_database_is_away(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(ApiTokens, "find", away)
    answer = await owner.client("GET", "/api/realtime", headers=HANDSHAKE)
    assert (answer.status, answer.json["type"]) == (503, "urn:showbill:problem:unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["/nowhere", "/api/session", "/api/webhooks/stripe", "/shows"])
async def test_there_is_no_socket_elsewhere(gateway: Gateway, owner: Owner, path: str) -> None:
    answer = await owner.client("GET", path, headers=HANDSHAKE)
    assert (answer.status, answer.json["type"]) == (404, "urn:showbill:problem:no-such-route")
    assert answer.json["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("since", ["abc", "-1", "1" * 30, "%EF%BC%93"])
async def test_a_position_that_is_none_is_refused_with_a_problem(gateway: Gateway, owner: Owner, since: str) -> None:
    answer = await owner.client("GET", f"/api/realtime?since={since}", headers=HANDSHAKE)
    assert (answer.status, answer.json["type"]) == (400, "urn:showbill:problem:invalid-request")
    assert answer.json["detail"] == (
        "The parameter since is no position. Give the seq of the last message, or leave it out."
    )


async def test_one_caller_holds_no_more_sockets_than_allowed(database_maker: DatabaseMaker, nats: Nats) -> None:
    database = await database_maker.make("gateway", migrated=True)
    async with running_gateway(database, nats.url, wants_events=False, sockets_per_credential=2) as few:
        owner = await few.make_owner()
        async with owner.client.listen(), owner.client.listen() as second:
            answer = await owner.client("GET", "/api/realtime", headers=HANDSHAKE)
            assert (answer.status, answer.json["type"]) == (429, "urn:showbill:problem:too-many-sockets")
            assert answer.json["detail"].startswith("You have 2 live connections open already.")
            assert int(answer.headers["Retry-After"]) > 0
            async with (await few.make_owner()).client.listen() as anothers:
                await heard(anothers, 1)
            await second.close()

            async def has_room() -> bool:
                async with owner.client.listen() as third:
                    return bool(await heard(third, 1))

            assert await eventually(lambda: _without_refusal(has_room))


async def _without_refusal(opened: Any) -> bool:
    try:
        return bool(await opened())
    except aiohttp.WSServerHandshakeError:
        return False


async def test_a_service_that_is_away_closes_with_try_again(gateway: Gateway, owner: Owner) -> None:
    await gateway.invoicing.stop()
    try:
        async with owner.client.listen(f"?show_id={new_id()}") as socket:
            assert await closed_with(socket) == listener.TRY_AGAIN
    finally:
        await gateway.invoicing.start(gateway.config.invoicing_address)


async def test_signing_out_closes_the_sessions_sockets(gateway: Gateway, owner: Owner) -> None:
    origin = {"Origin": "https://showbill.example"}
    leaving, staying = await gateway.signed_in(owner, **origin), await gateway.signed_in(owner, **origin)
    async with leaving.listen() as gone, staying.listen() as kept:
        for socket in (gone, kept):
            await heard(socket, 1)
        await leaving("DELETE", "/api/session")
        assert await closed_with(gone) == listener.SESSION_ENDED
        async with publisher(gateway.nats_url) as publish:
            await publish(paid_event(owner.workspace_id, new_id(), 1))
        assert (await heard(kept, 1))[0]["type"] == "invoice.updated"


async def test_revoking_a_token_closes_its_sockets(gateway: Gateway, owner: Owner) -> None:
    made = (await owner.client("POST", "/api/tokens", {"name": "x"})).json
    async with gateway.bearer(made["token"]).listen() as socket:
        await heard(socket, 1)
        await owner.client("DELETE", f"/api/tokens/{made['id']}")
        assert await closed_with(socket) == listener.SESSION_ENDED


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_a_cookie_opens_sockets_only_from_our_pages(gateway: Gateway, owner: Owner, origin: str) -> None:
    browser = await gateway.signed_in(owner, **({"Origin": origin} if origin else {}))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.listen()
    assert refused.value.status == 403


async def test_a_client_that_does_not_read_is_sent_away(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its queue stays bounded, it is told to read anew, and a neighbour hears everything."""
    monkeypatch.setattr(listener, "MOST_WAITING", 3)
    show = gateway.own_show(owner.workspace_id)
    slow = listener.Listener(owner.workspace_id, show, "credential")
    slow.begin(0, None)
    for seq in range(1, 9):
        slow.offer(f"event {seq}", seq)
    waiting = await slow.next()
    assert [json.loads(text)["type"] for text in waiting] == ["resync"]
    assert slow.ended.result() == listener.TOO_SLOW
    assert await slow.next() == []


async def test_a_foreign_message_does_not_silence_the_relay(gateway: Gateway, owner: Owner) -> None:
    show = gateway.own_show(owner.workspace_id, seq=0)
    unknown = events.Event(id=new_id(), type="new.kind", workspace_id=owner.workspace_id, show_id=show, seq=1)
    odd = paid_event(owner.workspace_id, show, 0)
    odd.invoice_updated.status = 99  # type: ignore[assignment]  # of a version to come
    async with owner.client.listen(f"?show_id={show}") as socket, publisher(gateway.nats_url) as publish:
        await heard(socket, 1)
        await publish(odd)
        await publish(unknown)
        await publish(paid_event(owner.workspace_id, show, 2))
        assert [message["seq"] for message in await heard(socket, 1)] == [2]


async def test_sockets_leave_nothing_behind(gateway: Gateway, owner: Owner) -> None:
    async with owner.client.listen() as socket:
        await heard(socket, 1)
    async with owner.client.listen() as again:
        await heard(again, 1)
        async with publisher(gateway.nats_url) as publish:

            async def told() -> bool:
                await publish(paid_event(owner.workspace_id, new_id(), 1))
                return bool(await heard(again, 1))

            assert await eventually(told)


async def test_a_browser_shows_its_token_as_a_subprotocol(gateway: Gateway, owner: Owner) -> None:
    offered = ("showbill.v1", f"showbill.token.{owner.token}")
    async with gateway.client().session.ws_connect(f"{gateway.url}/api/realtime", protocols=offered) as socket:
        assert socket.protocol == "showbill.v1"  # the token is not said back
        assert (await heard(socket, 1))[0]["type"] == "hello"


async def test_a_wrong_token_among_the_subprotocols_is_refused(gateway: Gateway) -> None:
    offered = ("showbill.v1", "showbill.token.showbill_" + "x" * 43)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.client().session.ws_connect(f"{gateway.url}/api/realtime", protocols=offered)
    assert refused.value.status == 401
    assert refused.value.headers is not None
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_in_the_address_is_not_looked_at(gateway: Gateway, owner: Owner) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.client().listen(f"?token={owner.token}&access_token={owner.token}")
    assert refused.value.status == 401
