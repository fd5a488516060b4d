"""One request under way: who asks, with what, and what its events carry."""

from dataclasses import dataclass, field

from services.sandbox.config import Config
from services.sandbox.records import ApiKey, Json
from services.sandbox.schema import Parameters
from services.sandbox.store import Dataset, Store


@dataclass(slots=True)
class Cause:
    """What made an event: a request of the API, or nobody (a buyer on the hosted page, the clock)."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class Call:
    store: Store
    dataset: Dataset
    config: Config
    cause: Cause
    api_version: str
    key: ApiKey | None = None
    params: Parameters = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    query_path: str = ""
    """The path as asked, for `url` of a list."""

    @property
    def now(self) -> int:
        return self.store.clock.now()

    @property
    def mode(self) -> str:
        return "live" if self.dataset.livemode else "test"


Answer = Json
