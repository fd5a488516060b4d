"""One request id travels through HTTP, gRPC, the logs of each service, and NATS."""

import json
from functools import partial
from typing import Any

import aiohttp
from nats import connect
from nats.aio.msg import Msg

from services.cli.embedded.nats import Nats
from services.common.bus import REQUEST_ID
from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace
from tests.waiting import eventually


def logged(stack: Stack, service: str, request_id: str) -> list[dict[str, Any]]:
    whole, _, _ = (stack.folder / f"{service}.log").read_bytes().rpartition(b"\n")  # the last line may be cut
    entries = [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]
    return [entry for entry in entries if entry.get("request_id") == request_id]


async def test_a_request_id_travels_through_every_part(workspace: Workspace, stack: Stack, nats: Nats) -> None:
    await workspace.connect()
    show = await workspace.make_show(buyers=1)
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    client = await connect(nats.url)
    await client.subscribe(f"showbill.events.*.{show}.>", cb=hear)
    await client.flush()
    headers = {"Authorization": f"Bearer {workspace.token}", "X-Request-Id": "trace-me-0001"}
    url = f"{stack.url('gateway')}/api/shows/{show}/invoices/generate"
    async with aiohttp.ClientSession(headers=headers) as session:

        async def begun() -> bool:  # not at once where a service was started again a moment ago
            async with session.post(url, json={}) as answer:
                assert answer.headers["X-Request-Id"] == "trace-me-0001"
                return answer.status == 202

        await eventually(begun, why="the generation was not begun")

    def traced() -> bool:  # what was done to the show before may be told later
        return any((message.headers or {}).get(REQUEST_ID) == "trace-me-0001" for message in heard)

    await eventually(traced, why="nothing of the request was published")
    await client.close()
    for service in ("gateway", "invoicing", "integrations"):
        # A service logs a request when it is done with it, which may be after its caller went on.
        await eventually(partial(logged, stack, service, "trace-me-0001"), why=f"{service} did not log the request")


async def test_a_problem_names_its_request(stack: Stack) -> None:
    async with (
        aiohttp.ClientSession(headers={"X-Request-Id": "trace-me-0002"}) as session,
        session.get(f"{stack.url('gateway')}/api/shows") as answer,
    ):
        assert answer.status == 401
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["requestId"] == "trace-me-0002"
