"""The events feed: retrieve and list, with type wildcards and the filter on delivery."""

from fnmatch import fnmatchcase

from services.sandbox import errors, events, lists
from services.sandbox.call import Answer, Call
from services.sandbox.objects.event import pending_webhooks, render
from services.sandbox.records import Event

_MAX_TYPES = 20


def retrieve(call: Call) -> Answer:
    event = call.dataset.events.get(call.path["id"])
    if event is None or _too_old(call, event):
        raise errors.no_such("event", call.path["id"], "id")
    return render(call.dataset, event)


def list_(call: Call) -> Answer:
    params, dataset = call.params, call.dataset
    wanted = _wanted_types(params.get("type"), params.get("types"))
    chosen = (
        event
        for event in reversed(dataset.events.values())
        if (wanted is None or any(fnmatchcase(event.type, pattern) for pattern in wanted))
        and ("created" not in params or lists.in_range(event.created, params["created"]))
        and not _too_old(call, event)
        and ("delivery_success" not in params or _delivered(call, event) == params["delivery_success"])
    )
    return lists.page(chosen, params, lambda event: render(dataset, event), noun="event", url="/v1/events")


def _wanted_types(one: str | None, several: list[str] | None) -> list[str] | None:
    if one is not None and several is not None:
        raise errors.refused("You may pass either type or types, but not both.", "types")
    if several is not None and len(several) > _MAX_TYPES:
        raise errors.refused(f"You may pass up to {_MAX_TYPES} types.", "types")
    return several if several is not None else ([one] if one is not None else None)


def _too_old(call: Call, event: Event) -> bool:
    return event.created < call.now - events.KEPT_SECONDS


def _delivered(call: Call, event: Event) -> bool:
    """An event that nobody listens to counts as delivered."""
    return pending_webhooks(call.dataset, event) == 0
