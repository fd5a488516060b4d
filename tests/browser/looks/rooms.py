"""Workspaces to look at, each furnished once a session: what the pages and states of the table are shown with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tests.e2e.fixtures import MakeWorkspace
from tests.e2e.sandbox import Sandbox
from tests.e2e.workspace import Workspace
from tests.waiting import eventually

ITEMS: Final = "item_number,title,price\n1,Jacket,12550\n2,Scarf,1800\n3,Boots,\n4,Pin,10\n5,Sticker,0\n"
HEAD: Final = "claim_id,platform,platform_user_id,user_handle,display_name,email,item_number,quantity,status\n"
CLAIMS: Final = HEAD + "\n".join(
    [
        "a,instagram,u1,@maya.k,Maya Kowalski,maya@example.com,1,1,winner",
        "b,instagram,u2,@thriftqueen_22,Danielle Ortiz,,2,2,winner",
        "c,instagram,u3,@denim.daze,Priya Raman,,3,1,winner",
        "d,instagram,u4,@<img src=x onerror=alert(1)>,,u4@example.com,1,3,winner",
        "e,instagram,u5,@goldie.loops,Goldie Marsh,goldie@example.com,1,1,winner",
        "f,instagram,u6,@salt.and.cedar,Hannah Lindqvist,,2,1,winner",
        "g,instagram,u7,@penny,,,4,1,winner",
        "h,instagram,u8,@free.rider,,,5,1,winner",
    ]
)
LATE: Final = HEAD + "late,instagram,u2,@thriftqueen_22,,,1,1,winner\nnew,instagram,u9,@late,,,1,1,winner"
WITHOUT_WEBHOOKS: Final = [
    "rak_balance_read",
    "rak_customer_write",
    "rak_invoice_write",
    "rak_event_read",
    "rak_accounts_kyc_basic_read",
]


@dataclass
class Room:
    """A workspace, and by name the ids and paths that a state's path may ask for as `{name}`."""

    workspace: Workspace
    at: dict[str, str] = field(default_factory=dict)


class Rooms:
    """`await rooms("busy")`; a room is furnished when it is first asked for."""

    def __init__(self, make_workspace: MakeWorkspace, sandbox: Sandbox) -> None:
        self._make = make_workspace
        self._sandbox = sandbox
        self._furnished: dict[str, Room] = {}
        self._furnish: dict[str, Callable[[Workspace], Awaitable[dict[str, str]]]] = {
            "street": self._street,
            "new": self._new,
            "claimed": self._claimed,
            "busy": self._busy,
            "broken": self._broken,
            "polling": self._polling,
            "live": self._live,
        }

    async def __call__(self, name: str) -> Room:
        if name not in self._furnished:
            workspace = await self._make()
            self._furnished[name] = Room(workspace, await self._furnish[name](workspace))
        return self._furnished[name]

    async def _street(self, workspace: Workspace) -> dict[str, str]:
        """Where nobody is signed in: an invitation, and pay links in each state."""
        invited = await workspace.rest.call("POST", "/api/invitations", {"email": "amelie.longfellow@example.com"})
        await workspace.connect()
        show = await make_show(workspace)
        await workspace.generate(show)
        rows = await by_buyer(workspace, show)
        await self._pay(workspace, show, "u1")
        await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{rows['u4']['id']}/void")
        named = {"paid": "u1", "payable": "u2", "unpriced": "u3", "void": "u4", "small": "u7", "revoked": "u6"}
        paths = {name: str(rows[buyer]["payPath"]) for name, buyer in named.items()}
        await workspace.rest.call("POST", f"/api/shows/{show}/buyers/{rows['u6']['buyerId']}/pay-link/revoke")
        return {"invitation": urlsplit(str(invited["link"])).path, **paths}

    async def _new(self, workspace: Workspace) -> dict[str, str]:
        return {}

    async def _claimed(self, workspace: Workspace) -> dict[str, str]:
        """Claims are there, and no provider."""
        bare = await workspace.rest.call("POST", "/api/shows", {"name": "Sunday warm-up", "currency": "USD"})
        return {"bare": str(bare["id"]), "show": await make_show(workspace)}

    async def _busy(self, workspace: Workspace) -> dict[str, str]:
        """Connected, with a show that is ready and shows whose invoices stand in every way."""
        await workspace.connect()
        await workspace.rest.call("POST", "/api/integrations/manual/connect", {})
        bare = await workspace.rest.call("POST", "/api/shows", {"name": "Tuesday sneakers", "currency": "USD"})
        await workspace.rest.call("POST", f"/api/shows/{bare['id']}/start")
        mixed = await self._mixed(workspace)
        paid = await workspace.make_show(buyers=2)
        await workspace.generate(paid)
        for buyer in ("u0", "u1"):
            await self._pay(workspace, paid, buyer)
        done = await workspace.make_show(buyers=6)
        await workspace.generate(done)
        running = await workspace.make_show(buyers=40)
        shows = {"mixed": mixed, "paid": paid, "done": done, "running": running, "bare": str(bare["id"])}
        return {"ready": await make_show(workspace), **shows}

    async def _mixed(self, workspace: Workspace) -> str:
        """One paid, one sent and opened, one refused, some drafts of which two cannot be sent; and claims came late."""
        show = await make_show(workspace)
        fault = await self._sandbox.refuse_buyer(workspace.account.id, "u5")
        await workspace.generate(show)
        await self._sandbox.remove_fault(fault)
        rows = await by_buyer(workspace, show)
        await workspace.rest.call("POST", f"/api/shows/{show}/invoices/{rows['u4']['id']}/send", {"channel": "email"})
        await self._pay(workspace, show, "u1")
        assert (await workspace.import_file(show, "claims", LATE.encode()))["rejected"] == []
        return show

    async def _broken(self, workspace: Workspace) -> dict[str, str]:
        """Stripe takes the key no more."""
        await workspace.connect()
        show = await workspace.make_show(buyers=4)
        await workspace.generate(show)
        await self._sandbox.revoke(workspace.account.sk_test)
        await workspace.rest.call("GET", "/api/integrations/stripe/test")
        return {"show": show}

    async def _polling(self, workspace: Workspace) -> dict[str, str]:
        """A key that may make no webhook endpoint."""
        path = f"/_sandbox/accounts/{workspace.account.id}/restricted_keys"
        made = await self._sandbox.rest.call("POST", path, {"permissions": WITHOUT_WEBHOOKS})
        keys = {"secretKey": made["key"], "publishableKey": workspace.account.pk_test}
        await workspace.rest.call("POST", "/api/integrations/stripe/connect", keys)
        show = await make_show(workspace)
        await workspace.generate(show)
        return {"show": show}

    async def _live(self, workspace: Workspace) -> dict[str, str]:
        """Rehearsed in test mode, and live by now."""
        await workspace.connect()
        show = await workspace.make_show(buyers=3)
        await workspace.generate(show)
        await self._pay(workspace, show, "u0")
        keys = {"secretKey": workspace.account.sk_live, "publishableKey": workspace.account.pk_live}
        await workspace.rest.call("POST", "/api/integrations/stripe/connect", keys)
        return {"show": show}

    async def _pay(self, workspace: Workspace, show: str, buyer: str) -> None:
        await self._sandbox.pay((await by_buyer(workspace, show))[buyer]["externalId"])

        async def arrived() -> bool:
            return bool((await by_buyer(workspace, show))[buyer]["status"] == "paid")

        await eventually(arrived, why="the payment did not arrive")


async def make_show(workspace: Workspace) -> str:
    """Eight buyers with all that can be the matter with one."""
    made = await workspace.rest.call("POST", "/api/shows", {"name": "Friday Night Vintage Drop", "currency": "USD"})
    for what, content in (("items", ITEMS), ("claims", CLAIMS)):
        assert (await workspace.import_file(str(made["id"]), what, content.encode()))["rejected"] == []
    return str(made["id"])


async def by_buyer(workspace: Workspace, show: str) -> dict[str, Any]:
    return {row["platformUserId"]: row for row in await workspace.invoices(show)}
