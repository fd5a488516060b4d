"""The webhook endpoint object: shape by the SDK's class, not confirmed by a recording."""

from services.sandbox.records import Endpoint, Json


def new_body(endpoint_id: str, created: int, *, livemode: bool) -> Json:
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": created,
        "description": None,
        "enabled_events": [],
        "livemode": livemode,
        "metadata": {},
        "status": "enabled",
        "url": "",
    }


def with_secret(endpoint: Endpoint) -> Json:
    """Only the answer to a create shows the secret."""
    return {**endpoint.body, "secret": endpoint.secret}


def listens_to(endpoint: Endpoint, event_type: str) -> bool:
    enabled = endpoint.body["enabled_events"]
    return endpoint.body["status"] == "enabled" and ("*" in enabled or event_type in enabled)
