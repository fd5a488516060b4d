"""How a POST changes metadata: keys are merged, an empty value unsets a key, an empty whole unsets all."""

from typing import Any

from services.sandbox.records import Json


def merged(current: Json, given: Any) -> Json:
    if given == "":
        return {}
    kept = {**current, **given}
    return {key: value for key, value in kept.items() if value != ""}
