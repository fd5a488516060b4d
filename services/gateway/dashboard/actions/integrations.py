"""Connecting and disconnecting a provider, its keys and its settings."""

from collections.abc import Mapping
from typing import Final

from litestar import Response, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.common.errors import Kind
from services.common.problem import HTTP_STATUS
from services.common.secret import redact
from services.common.status import RemoteError
from services.gateway.backends.integrations import Integrations
from services.gateway.dashboard.pages.integrations import listed_of, preview_of, settings_form, settings_values
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render, toast
from services.gateway.dashboard.views.keys import permissions_of, refused_form
from services.gateway.dashboard.views.provider_settings import (
    LONGEST,
    TEMPLATES,
    change_of,
    differences,
    names_of,
    problems_of,
    values_of,
)
from services.gateway.identity.principal import Principal
from services.gateway.schemas.integrations import ListedIntegrationView

_LONGEST_KEY: Final = 512
_THEIRS_TO_MEND: Final = (Kind.INVALID, Kind.FAILED_PRECONDITION, Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.RATE_LIMITED)
_TO_DECIDE: Final = (Kind.INVALID, Kind.OUTDATED)


@post("/integrations/{provider:str}/connect", status_code=200)
async def connect(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """Checks the keys with the provider and connects; else the form again, saying what to do, without the secret."""
    listed = await listed_of(integrations, caller.identity, provider)
    keys = _keys(listed, await request.form())
    try:
        await integrations.connect(caller.identity, provider, keys)
    except RemoteError as error:
        return _refused(request, listed, keys, error, "connect")
    return go(request, f"/integrations/{provider}")


@post("/integrations/{provider:str}/check", status_code=200)
async def check_keys(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """What the keys that stand in the form may do, before anything is pressed: the list, each marked."""
    listed = await listed_of(integrations, caller.identity, provider)
    keys = _keys(listed, await request.form())
    values: dict[str, object] = {"entry": listed, "problem": ""}
    try:
        values["permissions"] = permissions_of(await integrations.validate(caller.identity, provider, keys))
    except RemoteError as error:
        if error.kind not in _THEIRS_TO_MEND:
            raise
        form = refused_form(listed, keys, error)
        values |= {"permissions": form.permissions, "problem": form.problem or next(iter(form.problems.values()))}
    return render(request, "parts/doctor.html", values)


@post("/integrations/{provider:str}/credentials", status_code=200)
async def replace_keys(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """New keys of the same account, in place; else the form again. The old ones work until the new ones passed."""
    listed = await listed_of(integrations, caller.identity, provider)
    keys = _keys(listed, await request.form())
    try:
        await integrations.replace_credentials(caller.identity, provider, keys)
    except RemoteError as error:
        return _refused(request, listed, keys, error, "replace")
    return go(request, f"/integrations/{provider}")


def _keys(listed: ListedIntegrationView, form: FormMultiDict) -> dict[str, str]:
    return {one.name: str(form.get(one.name, ""))[:_LONGEST_KEY].strip() for one in listed.connect_fields}


def _refused(
    request: AnyRequest, listed: ListedIntegrationView, keys: Mapping[str, str], error: RemoteError, deed: str
) -> Response[bytes]:
    """Raises again what is nothing that other keys could mend."""
    if error.kind not in _THEIRS_TO_MEND:
        raise error
    values = {"entry": listed, "form": refused_form(listed, keys, error), "owner": True}
    template = f"parts/{deed}.html" if is_htmx(request) else f"integration-{deed}.html"
    return render(request, template, values, status=422)


@post("/integrations/{provider:str}/settings", status_code=200)
async def save_settings(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """Saves what stands in the form, if nobody else did since it was read; else the form again, with both."""
    who, sent = caller.identity, await request.form()
    listed = await listed_of(integrations, who, provider)
    names = names_of(listed.settings)
    stands = values_of((await integrations.get(who, provider)).settings)
    typed = stands | {name: str(sent.get(name, ""))[: LONGEST + 1] for name in names}
    try:
        saved = await integrations.change_settings(
            who, provider, change_of(names, typed), str(sent.get("etag", ""))[:100]
        )
    except RemoteError as error:
        return await _undecided(request, integrations, caller, listed, typed, error, str(sent.get("etag", "")))
    if not is_htmx(request):
        return go(request, f"/integrations/{provider}")
    form = await settings_form(integrations, who, listed, values_of(saved), saved.etag)
    said = toast("ok", "Settings saved", "They apply to the invoices that you generate from now on.")
    return render(request, "parts/provider-settings.html", settings_values(listed, form), headers=said)


async def _undecided(
    request: AnyRequest,
    integrations: Integrations,
    caller: Principal,
    listed: ListedIntegrationView,
    typed: Mapping[str, str],
    error: RemoteError,
    etag: str,
) -> Response[bytes]:
    """What was typed, with what is wrong with it or what somebody else saved meanwhile: saving again is a choice.

    A key that was pasted by mistake does not come back.
    """
    typed, etag = {name: redact(text) for name, text in typed.items()}, redact(etag)
    if error.kind not in _TO_DECIDE:
        raise error
    told: dict[str, object] = {"problems": problems_of(error.faults), "problem": "" if error.faults else error.message}
    if error.kind is Kind.OUTDATED:
        now = (await integrations.get(caller.identity, listed.provider)).settings
        etag = now.etag
        told = {"theirs": differences(names_of(listed.settings), typed, values_of(now))}
    form = await settings_form(integrations, caller.identity, listed, typed, etag, **told)
    part = "parts/provider-settings.html" if is_htmx(request) else "integration-settings.html"
    return render(request, part, settings_values(listed, form), status=HTTP_STATUS[error.kind][0])


@post("/integrations/{provider:str}/preview", status_code=200)
async def preview(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """What a template makes of a sample, as it is typed. That it cannot be used yet is an answer too."""
    form = await request.form()
    wanted = str(form.get("setting", ""))
    setting = wanted if wanted in TEMPLATES else TEMPLATES[-1]
    template = str(form.get(setting, ""))[: LONGEST + 1]
    shown = await preview_of(integrations, caller.identity, provider, setting, template)
    return render(request, "parts/preview.html", {"preview": shown})


@post("/integrations/{provider:str}/disconnect", status_code=200)
async def disconnect(
    request: AnyRequest,
    provider: FromPath[str],
    caller: NamedDependency[Principal],
    integrations: NamedDependency[Integrations],
) -> Response[bytes]:
    """Destroys the sealed keys. An endpoint that could not be removed at the provider is named."""
    listed = await listed_of(integrations, caller.identity, provider)
    gone = await integrations.disconnect(caller.identity, provider)
    if gone.warning:
        return render(request, "integration-disconnected.html", {"entry": listed, "warning": gone.warning})
    return go(request, "/integrations")


HANDLERS: Final = [connect, check_keys, replace_keys, save_settings, preview, disconnect]
