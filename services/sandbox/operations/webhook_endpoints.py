"""Webhook endpoints: create, retrieve, update, list, delete. The secret is shown once, on create."""

from urllib.parse import urlsplit

from services.sandbox import errors, ids, lists
from services.sandbox.call import Answer, Call
from services.sandbox.objects.endpoint import new_body, with_secret
from services.sandbox.operations.metadata import merged
from services.sandbox.records import Endpoint

_MAX_ENDPOINTS = 16
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MAX_URL = 5000


def find(call: Call) -> Endpoint:
    found = call.dataset.endpoints.get(call.path["id"])
    if found is None:
        raise errors.no_such("webhook endpoint", call.path["id"], "webhook_endpoint")
    return found


def create(call: Call) -> Answer:
    dataset, params = call.dataset, call.params
    if len(dataset.endpoints) >= _MAX_ENDPOINTS:
        raise errors.refused(f"You have reached the maximum of {_MAX_ENDPOINTS} {call.mode} webhook endpoints.")
    _check_url(params["url"])
    body = new_body(ids.object_id("we", dataset.account.id, call.now), call.now, livemode=dataset.livemode)
    body["api_version"] = params.get("api_version")
    endpoint = Endpoint(id=body["id"], seq=dataset.next_seq(), body=body, secret=f"whsec_{ids.token(32)}")
    _apply(call, endpoint)
    call.store.save(dataset, endpoint)
    return with_secret(endpoint)


def retrieve(call: Call) -> Answer:
    return find(call).body


def update(call: Call) -> Answer:
    endpoint = find(call)
    if "url" in call.params:
        _check_url(call.params["url"])
    _apply(call, endpoint)
    call.store.save(call.dataset, endpoint)
    return endpoint.body


def list_(call: Call) -> Answer:
    newest_first = reversed(call.dataset.endpoints.values())
    return lists.page(
        newest_first, call.params, lambda one: one.body, noun="webhook endpoint", url="/v1/webhook_endpoints"
    )


def delete(call: Call) -> Answer:
    endpoint = find(call)
    call.store.forget_endpoint(call.dataset, endpoint)
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def _apply(call: Call, endpoint: Endpoint) -> None:
    params, body = call.params, endpoint.body
    for name in ("url", "description"):
        if name in params:
            body[name] = params[name] or None
    if "enabled_events" in params:
        body["enabled_events"] = _checked_events(params["enabled_events"])
    if "metadata" in params:
        body["metadata"] = merged(body["metadata"], params["metadata"])
    if "disabled" in params:
        body["status"] = "disabled" if params["disabled"] else "enabled"


def _checked_events(names: list[str] | str) -> list[str]:
    if not names:
        raise errors.refused("You must specify at least one event to listen to.", "enabled_events")
    return list(names)


def _check_url(url: str) -> None:
    """Stripe demands a public https address; the sandbox takes plain http on loopback too."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > _MAX_URL:
        raise errors.refused("Not a valid URL", "url", "url_invalid")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise errors.refused(
            "Invalid URL: webhook endpoints need a URL that begins with https:// (the sandbox takes http:// on"
            " loopback only).",
            "url",
            "url_invalid",
        )
