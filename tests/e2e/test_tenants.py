"""Two workspaces with their own keys cannot see, touch or pay one another's."""

import json
import time

import aiohttp
import pytest

from services.cli.rest import Refused
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Kind
from services.common.secret import Secret
from services.common.status import RemoteError
from services.common.tokens import Signer
from services.gateway.identity.access import RULES, Rule
from services.rpc.showbill.integrations.v1 import integrations_pb2 as integrations_pb
from services.rpc.showbill.integrations.v1 import integrations_pb2_grpc as integrations_rpc
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.e2e.strays import make_stray
from tests.e2e.test_payments import deliver, sign
from tests.e2e.workspace import Workspace

CLAIM = pb.Claim(
    claim_id="x", platform="facebook", platform_user_id="u", item_number="1", status=pb.ClaimStatus.CLAIM_STATUS_WINNER
)


@pytest.fixture(scope="module")
async def pair(stack: Stack, make_workspace: MakeWorkspace) -> tuple[Workspace, Workspace, str]:
    """Workspaces A and B, both connected, and a show of A with invoices."""
    first, second = await make_workspace(), await make_workspace()
    await first.connect()
    await second.connect()
    show = await first.make_show(buyers=2)
    await first.generate(show)
    await make_stray(stack, show)
    return first, second, show


CLAIMS = b"claim_id,platform,platform_user_id,item_number,status\n1,p,u,0,winner\n"
BODIES: dict[str, object] = {
    "PATCH /api/members/{user_id}": {"role": "operator"},
    "PUT /api/shows/{show_id}/items": {"items": [{"itemNumber": "1", "title": "x", "price": 1}]},
    "PATCH /api/shows/{show_id}": {"name": "mine now"},
    "PATCH /api/shows/{show_id}/items/{item_number}": {"price": 1},
    "PATCH /api/buyers/{buyer_id}": {"email": "me@example.com"},
    "POST /api/shows/{show_id}/claims": {
        "claims": [{"claimId": "x", "platform": "p", "platformUserId": "u", "itemNumber": "1", "status": "winner"}]
    },
    "POST /api/shows/{show_id}/imports/items": b"item_number,title,price\n1,x,100\n",
    "POST /api/shows/{show_id}/imports/claims": CLAIMS,
    "POST /api/shows/{show_id}/imports/buyers": b"platform,platform_user_id,email\nfacebook,u0,me@example.com\n",
    "POST /api/shows/{show_id}/imports/invoices": b"number,paid_outside\nSB-1,yes\n",
    "POST /api/shows/{show_id}/invoices/generate": {},
    "POST /api/shows/{show_id}/invoices/retry": {},
    "POST /api/shows/{show_id}/invoices/{invoice_id}/send": {"channel": "manual"},
    "POST /api/shows/{show_id}/stray-payments/{payment_id}/settle": {"settlement": "returned", "note": "Mine."},
    "POST /shows/{show_id}/stray-payments/{payment_id}/settle": "settlement=returned&note=Mine.",
}
"""What a route needs so that only the id can be what it refuses: JSON, a file, or the text of a form."""
NAMING_ONE = sorted(
    (method, path)
    for (method, path), rule in RULES.items()
    # A provider is of the catalogue, which is everybody's; sessions are a person's own, whatever the workspace.
    if "{" in path.replace("{provider}", "") and rule.guarded and rule is not Rule.PERSON
)


@pytest.mark.parametrize(("method", "path"), NAMING_ONE, ids=lambda part: part)
async def test_b_finds_nothing_of_a_on_any_route(
    pair: tuple[Workspace, Workspace, str], method: str, path: str
) -> None:
    first, second, show = pair
    ids = {
        "show_id": show,
        "item_number": "0",
        "table": "claims",
        "invoice_id": (await first.invoices(show))[0]["id"],
        "buyer_id": (await first.rest.call("GET", f"/api/shows/{show}/buyers"))["items"][0]["id"],
        "generation_id": (run := (await first.generate(show))["id"]),
        "run_id": run,
        "sending_id": (await first.rest.call("POST", f"/api/shows/{show}/invoices/send"))["id"],  # nobody can be mailed
        "payment_id": (await first.rest.call("GET", f"/api/shows/{show}/stray-payments"))["items"][0]["id"],
        "token_id": (await first.rest.call("GET", "/api/tokens"))["items"][0]["id"],
        "user_id": (await first.rest.call("GET", "/api/members"))["items"][0]["userId"],
        "invitation_id": (await first.rest.call("POST", "/api/invitations", {"email": "friend@example.com"}))["id"],
    }
    before = await first.rest.call("GET", f"/api/shows/{show}/summary")
    with pytest.raises(Refused) as refusal:
        await send(second, method, path.format(**ids), BODIES.get(f"{method} {path}"))
    assert refusal.value.status == 404
    assert await first.rest.call("GET", f"/api/shows/{show}/summary") == before
    own_shows = [entry async for entry in second.rest.pages("/api/shows")]
    assert show not in {entry["id"] for entry in own_shows}


async def test_b_names_what_is_as_in_a_body_or_query_in_vain(pair: tuple[Workspace, Workspace, str]) -> None:
    first, second, show = pair
    own = await second.make_show(buyers=1)
    invoice = next(row for row in await first.invoices(show) if row["status"] != "paid")
    buyer = (await first.rest.call("GET", f"/api/shows/{show}/buyers"))["items"][0]["id"]
    before = await first.invoices(show)
    named = {"template": "{buyer}", "invoice": {"showId": show, "invoiceId": invoice["id"]}}
    outcomes = [
        await outcome(second, path, body)
        for path, body in (
            (f"/api/shows/{own}/invoices/generate", {"buyerIds": [buyer]}),
            (f"/api/shows/{own}/invoices/retry", {"invoiceIds": [invoice["id"]]}),
            (f"/api/shows/{own}/invoices/send", {"invoiceIds": [invoice["id"]], "channel": "manual"}),
            ("/api/integrations/stripe/preview", named),
            ("/api/integrations/stripe/preview", named | {"invoice": {"showId": own, "invoiceId": invoice["id"]}}),
        )
    ]
    assert outcomes == ["404", "done: 0", "404", "404", "404"]
    run = await first.generate(show)
    sending = await first.rest.call("POST", f"/api/shows/{show}/invoices/send")
    for page in (f"/shows/{own}?run={run['id']}&sending={sending['id']}", f"/shows/{own}/desk?at={invoice['id']}"):
        text = (await second.rest.download(page)).decode()
        assert f"/runs/{run['id']}" not in text
        assert f"/shows/{own}/invoices/{invoice['id']}" not in text
        assert f"/desk/{invoice['id']}" not in text
    assert await first.invoices(show) == before


async def outcome(workspace: Workspace, path: str, body: object) -> str:
    """The status of a refusal, or what was done."""
    try:
        answer = await workspace.rest.call("POST", path, body)
    except Refused as refusal:
        return str(refusal.status)
    return f"done: {answer.get('totalCount', answer.get('retriedCount'))}"


async def send(workspace: Workspace, method: str, path: str, body: object) -> None:
    if isinstance(body, bytes):
        await workspace.rest.call(method, path, csv=body)
    elif isinstance(body, str):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        await workspace.rest.call(method, path, csv=body.encode(), headers=form)
    else:
        await workspace.rest.call(method, path, body)


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/history"), ("POST", "/send")])
async def test_invoice_is_found_under_its_own_show_only(
    pair: tuple[Workspace, Workspace, str], method: str, tail: str
) -> None:
    first, _, show = pair
    other = await first.make_show(buyers=1)
    invoice = (await first.invoices(show))[0]["id"]
    body = {"channel": "manual"} if method == "POST" else None
    with pytest.raises(Refused) as refusal:
        await first.rest.call(method, f"/api/shows/{other}/invoices/{invoice}{tail}", body)
    assert refusal.value.status == 404


async def test_b_cannot_listen_to_a(pair: tuple[Workspace, Workspace, str], sandbox: Sandbox) -> None:
    first, second, show = pair
    async with second.rest.events(show) as socket:
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 4404
    other = await second.make_show(buyers=1)
    async with second.listening(other) as listener, first.listening(show) as own:
        await sandbox.pay((await first.invoices(show))[0]["externalId"])
        await own.until_paid(1)
        await second.import_file(other, "claims", CLAIMS)
        while (heard := await listener.socket.receive_json(timeout=30))["type"] == "ping":
            pass
    assert (heard["type"], heard["showId"]) == ("claims.changed", other), "it would have come after what A's show said"


async def test_another_workspaces_token_finds_nothing_over_grpc(
    pair: tuple[Workspace, Workspace, str], stack: Stack
) -> None:
    _, _, show = pair
    signer = Signer("claims", Secret(stack.seeds["claims"]))
    client = GrpcClient(stack.address("invoicing"), "invoicing", signer)
    stranger = Identity("0198c0de-0000-7000-8000-000000000099", "worker:claims")
    stub = rpc.ShowsServiceStub(client.channel)
    for call in (
        client.call(stub.GetShow, pb.GetShowRequest(show_id=show), stranger),
        client.call(stub.UpsertItems, pb.UpsertItemsRequest(show_id=show, items=[pb.Item(item_number="1")]), stranger),
        client.call(stub.IngestClaims, pb.IngestClaimsRequest(show_id=show, claims=[CLAIM]), stranger),
    ):
        with pytest.raises(RemoteError) as error:
            await call
        assert error.value.kind is Kind.NOT_FOUND
    await client.close()


async def test_the_claim_engine_cannot_reach_the_keys(stack: Stack) -> None:
    signer = Signer("claims", Secret(stack.seeds["claims"]))
    client = GrpcClient(stack.address("integrations"), "integrations", signer)
    stub = integrations_rpc.IntegrationsServiceStub(client.channel)
    request = integrations_pb.GetIntegrationRequest(provider="stripe")
    with pytest.raises(RemoteError) as error:
        await client.call(
            stub.GetIntegration, request, Identity("0198c0de-0000-7000-8000-000000000099", "worker:claims")
        )
    assert error.value.kind is Kind.FORBIDDEN
    await client.close()


async def test_bs_webhook_secret_cannot_pay_as_invoice(
    pair: tuple[Workspace, Workspace, str], sandbox: Sandbox
) -> None:
    first, second, show = pair
    target = next(row for row in await first.invoices(show) if row["status"] != "paid")
    (made,) = [i for i in await sandbox.invoices(first.account.id) if i["id"] == target["externalId"]]
    endpoint_a = await sandbox.webhook_endpoint(first.account.id)
    endpoint_b = await sandbox.webhook_endpoint(second.account.id)
    body = json.dumps(
        {
            "id": "evt_crossing00000000000001",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": {**made, "status": "paid", "amount_paid": made["total"]}},
        }
    ).encode()

    assert await deliver(endpoint_a["url"], body, sign(body, endpoint_b["secret"])) == 400
    assert await deliver(endpoint_b["url"], body, sign(body, endpoint_b["secret"])) == 200  # genuine, of nobody known
    assert next(row for row in await first.invoices(show) if row["id"] == target["id"])["status"] != "paid"
