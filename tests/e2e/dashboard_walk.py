"""Every page and form of the dashboard as a browser asks for them, whatever it is told; the answers are kept."""

from collections.abc import Mapping, Sequence

import aiohttp

OF_A_SHOW = (
    *("", "/items", "/claims", "/buyers", "/trend", "/import", "/plan", "/send-all", "/desk", "/edit"),
    *("/invoices/rows", "/stray-payments"),
)
OF_THE_WORKSPACE = (
    *("/", "/shows", "/shows/new", "/plans", "/connections", "/settings", "/settings/tokens", "/settings/account"),
    *("/settings/audit", "/integrations", "/integrations/stripe", "/integrations/stripe/test", "/integrations/manual"),
)


class DashboardWalk:
    """A signed-in person. Each thing is asked for as a page and as the part of one that live refresh takes."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session
        self.said: list[str] = []

    async def sign_in(self, email: str, password: str) -> None:
        assert await self.post("/sign-in", {"email": email, "password": password}) == {303}

    async def look(self, shows: Sequence[str], invoices: Sequence[tuple[str, str]]) -> None:
        """`invoices` are shows and ids."""
        paths = [
            *OF_THE_WORKSPACE,
            *(f"/shows/{show}{page}" for show in shows for page in OF_A_SHOW),
            *(f"/shows/{show}/invoices/{one}{verb}" for show, one in invoices for verb in ("", "/void", "/mark-paid")),
        ]
        for path in paths:
            seen = await self._ask("GET", path)
            assert seen <= {200, 303, 404, 409}, f"{path} answered {seen}"
        for show in shows:
            chosen = {"ids": ",".join(one for where, one in invoices if where == show)}
            for what in ("send-chosen", "export-chosen"):
                assert await self.post(f"/shows/{show}/{what}", chosen) <= {200, 400, 404}, what

    async def plant(self, key: str, publishable: str) -> None:
        """A key wherever a form takes a text that becomes no name of a show."""
        for fields in (
            {"secret_key": key, "publishable_key": publishable},
            {"secret_key": publishable, "publishable_key": key},
        ):
            await self.post("/integrations/stripe/connect", fields)
            await self.post("/integrations/stripe/credentials", fields)
        for setting in ("memo_template", "message_template"):
            await self.post("/integrations/stripe/preview", {"setting": setting, setting: f"Pay {key}"})
        texts = ("memo_template", "message_template", "footer", "payment_instructions", "default_currency")
        await self.post("/integrations/stripe/sample", dict.fromkeys(texts, f"Pay {key}"))
        settings = {
            "memo_template": f"Pay {key}",
            "message_template": f"Pay {key}",
            "footer": key,
            "days_until_due": key,
        }
        await self.post("/integrations/stripe/settings", {"etag": key, **settings})
        await self.post("/sign-in", {"email": key, "password": key})
        for name in ("stripe", key):
            await self._ask("GET", f"/integrations/{name}?after={key}")
        await self._ask("GET", f"/shows?search={key}")

    async def post(self, path: str, fields: Mapping[str, str]) -> set[int]:
        return await self._ask("POST", path, fields)

    async def _ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> set[int]:
        """The statuses of the page and of the part."""
        seen: set[int] = set()
        for more in ({}, {"HX-Request": "true"}):
            headers = {"Origin": self._url, **more}
            async with self._session.request(
                method, self._url + path, data=fields, headers=headers, allow_redirects=False
            ) as answer:
                seen.add(answer.status)
                self.said.append(f"{answer.status} {answer.headers} {await answer.text()}")
        return seen
