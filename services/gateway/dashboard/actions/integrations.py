"""Connecting and disconnecting Stripe."""

import re
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency

from services.common.errors import Kind
from services.common.status import RemoteError
from services.gateway.backends.integrations import Integrations
from services.gateway.dashboard.pages.integrations import STRIPE
from services.gateway.dashboard.rendering import AnyRequest, go, is_htmx, render
from services.gateway.dashboard.views.stripe import form_of
from services.gateway.identity.principal import Principal

_LONGEST_KEY: Final = 512
_PUBLISHABLE: Final = re.compile(r"pk_(test|live)_[A-Za-z0-9]+")
"""What may be shown again; a secret pasted into the wrong field may not."""
_THEIRS_TO_MEND: Final = (Kind.INVALID, Kind.FAILED_PRECONDITION, Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.RATE_LIMITED)


@post("/integrations/stripe/connect", status_code=200)
async def connect(
    request: AnyRequest, caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[bytes]:
    """Checks the keys with Stripe and connects; else the form again, saying what to do, without the secret."""
    form = await request.form()
    keys = {name: str(form.get(name, ""))[:_LONGEST_KEY].strip() for name in ("secret_key", "publishable_key")}
    try:
        await integrations.connect(caller.identity, STRIPE, keys)
    except RemoteError as error:
        if error.kind not in _THEIRS_TO_MEND:
            raise
        publishable = keys["publishable_key"] if _PUBLISHABLE.fullmatch(keys["publishable_key"]) else ""
        values = {"form": form_of(publishable, error.message, error.faults), "owner": True}
        template = "parts/key-form.html" if is_htmx(request) else "stripe-connect.html"
        return render(request, template, values, status=422)
    return go(request, "/integrations/stripe")


@post("/integrations/stripe/disconnect", status_code=200)
async def disconnect(
    request: AnyRequest, caller: NamedDependency[Principal], integrations: NamedDependency[Integrations]
) -> Response[bytes]:
    """Destroys the sealed keys. An endpoint that could not be removed at Stripe is named, to be removed by hand."""
    gone = await integrations.disconnect(caller.identity, STRIPE)
    if gone.warning:
        return render(request, "stripe-disconnected.html", {"warning": gone.warning})
    return go(request, "/integrations")


HANDLERS: Final = [connect, disconnect]
