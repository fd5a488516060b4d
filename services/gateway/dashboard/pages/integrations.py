"""The catalogue of providers, and the page of each."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.common.context import Identity
from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends.integrations import Integrations
from services.gateway.backends.verification import Verification
from services.gateway.dashboard.pages.shows import CURRENCIES
from services.gateway.dashboard.problems import NoSuchPage
from services.gateway.dashboard.rendering import AnyRequest, render, toast
from services.gateway.dashboard.views.actors import name_of, names_of
from services.gateway.dashboard.views.hearing import hearing_of
from services.gateway.dashboard.views.keys import empty_form, permissions_of
from services.gateway.dashboard.views.provider_settings import (
    LABELS,
    TEMPLATES,
    Preview,
    SettingsForm,
    values_of,
)
from services.gateway.dashboard.views.provider_settings import names_of as setting_names
from services.gateway.dashboard.views.sample import sample_of
from services.gateway.dashboard.views.tiles import groups_of, tile_of
from services.gateway.identity.members import Members
from services.gateway.identity.principal import Principal, Role
from services.gateway.schemas.integrations import ListedIntegrationView

_MOST_PEOPLE: Final = 1000


@get("/integrations")
async def integrations_page(
    request: AnyRequest,
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    verification: NamedDependency[Verification],
) -> Response[bytes]:
    who, catalogue = caller.identity, await integrations.list(caller.identity)
    connected = [listed.provider for listed in catalogue if listed.connected]
    heard = await asyncio.gather(*(verification.hearing_if_known(who, provider) for provider in connected))
    hearing = dict(zip(connected, heard, strict=True))
    tiles = [tile_of(listed, hearing.get(listed.provider)) for listed in catalogue]
    return render(request, "integrations.html", {"groups": groups_of(tiles)})


async def listed_of(integrations: Integrations, who: Identity, provider: str) -> ListedIntegrationView:
    """Raises NoSuchPage for a provider that has no page here."""
    listed = next((one for one in await integrations.list(who) if one.provider == provider), None)
    if listed is None or not (listed.connected or listed.availability == "available"):
        raise NoSuchPage
    return listed


@get("/integrations/{provider:str}")
async def provider_page(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    verification: NamedDependency[Verification],
    members: NamedDependency[Members],
) -> Response[bytes]:
    """The form while nothing is connected; else how the connection is, and its settings."""
    who = caller.identity
    listed = await listed_of(integrations, who, provider)
    owner, form = caller.role is Role.OWNER, empty_form(listed)
    if not listed.connected:
        return render(request, "integration-connect.html", {"entry": listed, "form": form, "owner": owner})
    connection, heard, people = await asyncio.gather(
        integrations.get(who, provider),
        verification.hearing_if_known(who, provider, counts=True),
        members.list(caller.workspace_id, _MOST_PEOPLE),
    )
    stands, now = values_of(connection.settings), datetime.now(UTC)
    values = settings_values(listed, await settings_form(integrations, who, listed, stands, connection.settings.etag))
    values |= {"connection": connection, "hearing": hearing_of(connection, heard, now), "form": form, "owner": owner}
    values["connected_by"] = name_of(connection.connected_by, names_of(people.items))
    texts = values["settings"].previews
    values["sample"] = sample_of(stands, connection.default_currency, texts, now.date())
    values["livemode"] = connection.livemode
    return render(request, "integration.html", values)


async def settings_form(
    integrations: Integrations,
    who: Identity,
    listed: ListedIntegrationView,
    values: Mapping[str, str],
    etag: str,
    **told: Any,
) -> SettingsForm:
    """The form with its previews; `told` is what is wrong with what was typed."""
    names = setting_names(listed.settings)
    shown = await asyncio.gather(
        *(preview_of(integrations, who, listed.provider, name, values[name]) for name in names if name in TEMPLATES)
    )
    return SettingsForm(names, values, etag, {one.setting: one for one in shown}, **told)


def settings_values(listed: ListedIntegrationView, form: SettingsForm) -> dict[str, Any]:
    """What the part of the page with the settings needs."""
    currencies = sorted({*CURRENCIES, form.values["default_currency"]} - {""})
    return {"entry": listed, "settings": form, "labels": LABELS, "currencies": currencies}


async def preview_of(
    integrations: Integrations,
    who: Identity,
    provider: str,
    setting: str,
    template: str,
    values: Mapping[str, str] | None = None,
) -> Preview:
    """`values` stand in for those of the service's sample."""
    try:
        shown = await integrations.preview(who, provider, template, dict(values or {}), setting)
    except RemoteError as error:
        if error.kind is not Kind.INVALID:
            raise
        known = await integrations.preview(who, provider, "", {}, setting)
        problem = " ".join(fault.problem for fault in error.faults) or error.message
        return Preview(setting, "", known.variables, problem, "", len(template), known.max_length)
    return Preview(setting, shown.text, shown.variables, "", shown.warning, len(template), shown.max_length)


@get("/integrations/{provider:str}/test")
async def check_connection(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
    quiet: Annotated[bool, QueryParameter()] = False,
) -> Response[bytes]:
    """Asks the provider now; answers the line of the last check, what the key may do, and how the webhooks stand.

    `quiet` when nobody pressed anything.
    """
    listed = await listed_of(integrations, caller.identity, provider)
    report = await integrations.test(caller.identity, provider, passive=quiet)
    if report.healthy:
        said = toast("ok", f"{listed.name} answered in {round(report.latency_ms)} ms")
    else:
        said = toast("error", "The connection does not work", report.reason)
    values: dict[str, Any] = {"entry": listed, "report": report, "permissions": permissions_of(report.permissions)}
    # Only now: the check may have found another name of the account.
    values["connection"] = await integrations.get(caller.identity, provider)
    return render(request, "parts/health.html", values, headers={} if quiet else said)


HANDLERS: Final = [integrations_page, provider_page, check_connection]
