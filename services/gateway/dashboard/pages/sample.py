"""What the buyer sees with the settings as they stand in the form, before they are saved."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.money import format_money, is_currency
from services.common.secret import redact
from services.gateway.backends.integrations import Integrations
from services.gateway.dashboard.pages.integrations import listed_of, preview_of
from services.gateway.dashboard.problems import NoSuchPage
from services.gateway.dashboard.rendering import AnyRequest, render
from services.gateway.dashboard.views.provider_settings import LABELS, LONGEST, TEMPLATES, names_of
from services.gateway.dashboard.views.sample import SAMPLE_TOTAL, sample_of
from services.gateway.identity.principal import Principal


@post("/integrations/{provider:str}/sample", status_code=200)
async def shown_sample(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """As it is typed; nothing is kept. What cannot be used yet is told in its place."""
    who, form = caller.identity, await request.form()
    listed = await listed_of(integrations, who, provider)
    if not listed.connected:
        raise NoSuchPage
    # A key that was pasted by mistake does not come back.
    typed = {name: redact(str(form.get(name, ""))[: LONGEST + 1]) for name in LABELS}
    connection = await integrations.get(who, provider)
    if not is_currency(typed["default_currency"]):
        typed["default_currency"] = connection.default_currency.upper()
    currency = typed["default_currency"]
    values = {"total": format_money(SAMPLE_TOTAL, currency)} if currency else {}  # as it goes out, whoever looks
    names = [name for name in names_of(listed.settings) if name in TEMPLATES]
    shown = await asyncio.gather(
        *(preview_of(integrations, who, provider, name, typed[name], values) for name in names)
    )
    sample = sample_of(typed, currency, {one.setting: one for one in shown}, datetime.now(UTC).date())
    told = {"entry": listed, "sample": sample, "livemode": connection.livemode, "owner": True}  # who sees the form
    return render(request, "parts/sample.html", told)


HANDLERS: Final = [shown_sample]
