"""A service that is away takes down only what needs it, over all routes; one that hangs is given up in time."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.common.ids import new_id
from services.gateway.api import health
from services.gateway.api.health import Health
from services.gateway.backends import patient
from services.gateway.identity.access import RULES, Rule
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from tests.gateway.harness import Gateway, Owner
from tests.gateway.test_dashboard import _stripe as catalogue
from tests.gateway.test_routes import addressed

READS = sorted(
    path
    for (method, path), rule in RULES.items()
    if method == "GET" and rule.guarded and rule is not Rule.PERSON and path.startswith("/api/")
)
OF_SHOWS = ("/api/shows", "/api/generations", "/api/sendings", "/api/integrations/{provider}/hearing")


def needs(service: str, path: str) -> bool:
    if path.startswith(OF_SHOWS):
        return service == "invoicing"
    return service == "integrations" and path.startswith("/api/integrations")


@pytest.mark.parametrize("away", ["integrations", "invoicing"])
async def test_what_is_away_takes_down_only_what_needs_it(
    gateway: Gateway, owner: Owner, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "PATIENCE", 0.1)
    service = getattr(gateway, away)
    await service.stop()
    try:
        answers: list[Any] = await asyncio.gather(*(owner.client("GET", addressed(path)) for path in READS))
    finally:
        await service.start(getattr(gateway.config, f"{away}_address"))
        # The connection comes back before the next test needs it.
        monkeypatch.setattr(patient, "PATIENCE", 10)
        await owner.client("GET", "/api/shows" if away == "invoicing" else "/api/integrations")
    for path, answer in zip(READS, answers, strict=True):
        if needs(away, path) and "{table}" not in path:
            assert (path, answer.status) == (path, 503)
            assert int(answer.headers["Retry-After"]) >= 1
        else:
            assert answer.status != 503, path


async def test_pages_of_shows_are_there_while_no_provider_can_be_asked(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators look at payments and answer buyers; only what the provider is needed for waits."""
    monkeypatch.setattr(patient, "PATIENCE", 0.1)
    show = invoicing_pb2.Show(id=new_id(), state=invoicing_pb2.SHOW_STATE_ENDED, buyer_count=1, currency="GBP")
    show.create_time.GetCurrentTime()
    gateway.invoicing.script("GetShow", invoicing_pb2.GetShowResponse(show=show))
    gateway.invoicing.script("GetShowSummary", invoicing_pb2.GetShowSummaryResponse(currency="GBP"))
    pages = [f"/shows/{show.id}{tab}" for tab in ("", "/items", "/claims", "/buyers", "/desk", "/send-all")]
    await gateway.integrations.stop()
    try:
        answers = {path: await owner.client("GET", path) for path in ("/shows", "/settings", *pages)}
    finally:
        await gateway.integrations.start(gateway.config.integrations_address)
        monkeypatch.setattr(patient, "PATIENCE", 10)
        await owner.client("GET", "/api/integrations")
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert "cannot be reached just now. Try again in a minute." in answers[pages[0]].text
    assert not gateway.invoicing.calls["PlanGeneration"]


async def test_connections_and_people_are_there_while_invoices_are_not(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "PATIENCE", 0.1)
    gateway.integrations.script("ListIntegrations", catalogue())
    pages = ("/integrations", "/integrations/stripe", "/plans", "/settings", "/settings/tokens", "/settings/audit")
    await gateway.invoicing.stop()
    try:
        statuses = {path: (await owner.client("GET", path)).status for path in pages}
    finally:
        await gateway.invoicing.start(gateway.config.invoicing_address)
        monkeypatch.setattr(patient, "PATIENCE", 10)
        await owner.client("GET", "/api/shows")
    assert statuses == dict.fromkeys(pages, 200)


async def test_a_service_that_hangs_is_given_up_in_time(
    gateway: Gateway, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = patient.PatientClient.call

    async def hurried(self: Any, *arguments: Any, **options: Any) -> Any:
        return await call(self, *arguments, **{**options, "timeout": 0.2})

    async def hang(_request: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(patient.PatientClient, "call", hurried)
    gateway.invoicing.script("ListShows", hang)
    answer = await owner.client("GET", "/api/shows")
    assert (answer.status, answer.json["type"]) == (504, "urn:showbill:problem:timed-out")


async def test_however_many_ask_for_our_health_the_parts_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask, and nobody is counted."""
    asked: list[str] = []

    class Part:
        client = SimpleNamespace(is_connected=True)

        async def serving(self, _patience: float) -> bool:
            asked.append("service")
            return True

        async def fetchval(self, _query: str) -> int:
            asked.append("database")
            return 1

    part: Any = Part()
    ours = Health(part, part, part, part)
    reports = await asyncio.gather(*(ours.report() for _ in range(100)))
    assert {report.status for report in reports} == {"ok"}
    assert sorted(asked) == ["database", "service", "service"]
    monkeypatch.setattr(health, "_KEPT", 0.0)
    await ours.report()
    assert len(asked) == 6
