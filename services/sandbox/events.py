"""Making events and the deliveries that they start."""

from typing import Any

import msgspec

from services.sandbox import ids
from services.sandbox.call import Call
from services.sandbox.objects.endpoint import listens_to
from services.sandbox.records import Delivery, Event, Json

KEPT_SECONDS = 30 * 86_400


def emit(call: Call, event_type: str, shown: Json, previous: Json | None = None) -> Event:
    """Records an event with a snapshot of the object, and a delivery for each endpoint that listens."""
    store, dataset = call.store, call.dataset
    data: dict[str, Any] = {"object": shown}
    if previous is not None:
        data["previous_attributes"] = previous
    now = call.now
    event = Event(
        id=ids.object_id("evt", dataset.account.id, now),
        seq=dataset.next_seq(),
        type=event_type,
        created=now,
        object_id=shown["id"],
        api_version=dataset.account.api_version,
        data=msgspec.Raw(msgspec.json.encode(data)),
        request_id=call.cause.request_id,
        idempotency_key=call.cause.idempotency_key,
        livemode=dataset.livemode,
    )
    store.save(dataset, event)
    for endpoint in dataset.endpoints.values():
        if listens_to(endpoint, event_type):
            schedule(call, event, endpoint.id)
    return event


def snapshot(shown: Json) -> Json:
    """A copy that later changes do not reach; by way of JSON, which is quicker than a deep copy."""
    copied: Json = msgspec.json.decode(msgspec.json.encode(shown))
    return copied


def schedule(call: Call, event: Event, endpoint_id: str) -> Delivery:
    dataset = call.dataset
    delivery = Delivery(
        id=ids.short_id("dlv"),
        seq=dataset.next_seq(),
        event=event.id,
        endpoint=endpoint_id,
    )
    call.store.save(dataset, delivery)
    call.store.outgoing.append((dataset, delivery))
    return delivery


def changed(before: Json, after: Json) -> Json:
    """`previous_attributes`: the old values of the fields that differ, nested objects part by part."""
    previous: Json = {}
    for name, old in before.items():
        new = after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and name != "lines":
            inner = changed(old, new)
            inner.update(dict.fromkeys(new.keys() - old.keys()))
            previous[name] = inner
        else:
            previous[name] = old
    return previous
