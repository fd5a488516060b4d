"""Sign-in at a provider in a real browser, with its rules for cookies and for where a page may lead."""

from typing import Any

from playwright.async_api import Browser

from services.common.addresses import BaseUrl, Listen, UrlPrefix
from services.common.secret import Secret
from tests.browser.dashboard import Dashboard
from tests.conftest import DatabaseMaker
from tests.gateway.fakes.provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.gateway.harness import running_gateway
from tests.waiting import free_port


async def test_a_person_signs_in_at_the_provider(chromium: Browser, database_maker: DatabaseMaker, nats: Any) -> None:
    database, port = await database_maker.make("gateway", migrated=True), free_port()
    # Another name than the provider's: to the browser they are two sites.
    settings = {
        "http_listen": Listen("127.0.0.1", port),
        "public_url": BaseUrl(f"http://localhost:{port}"),
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": Secret(CLIENT_SECRET),
        "oidc_name": "Shop ID",
    }
    async with running_provider() as provider:
        settings["oidc_issuer"] = UrlPrefix(provider.issuer)
        async with running_gateway(database, nats.url, wants_events=False, **settings) as gateway:
            owner = await gateway.make_owner()
            provider.claims["email"] = owner.email
            complaints: list[str] = []
            context = await chromium.new_context()
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            await page.goto(f"http://localhost:{port}/settings/account")
            button = page.get_by_role("link", name="Sign in with Shop ID")
            await button.wait_for()
            assert await Dashboard(context, page, "").axe() == []
            await button.click()
            await page.get_by_role("heading", name="Where you are signed in").wait_for()
            cookies = {cookie["name"]: cookie for cookie in await context.cookies()}
            assert set(cookies) == {"showbill_session", "showbill_device"}
            assert all(cookie["httpOnly"] for cookie in cookies.values())
            await context.close()
            assert complaints == []
