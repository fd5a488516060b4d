"""Idempotency keys: the first execution's answer is kept for a day, whatever it was, and replayed."""

import hashlib

import msgspec

from services.sandbox import errors
from services.sandbox.records import SavedAnswer
from services.sandbox.schema import Parameters
from services.sandbox.store import Dataset, Store

KEPT_SECONDS = 86_400
MAX_KEY = 255


def fingerprint(params: Parameters) -> str:
    return hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()


class Idempotency:
    """A key belongs to one account and mode. An execution under way refuses others with the same key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under_way: dict[tuple[str, str], SavedAnswer] = {}

    def begin(self, dataset: Dataset, opened: SavedAnswer) -> SavedAnswer | None:
        """The kept answer to replay, or None when this request is to be executed."""
        if len(opened.key) > MAX_KEY:
            raise errors.key_too_long(opened.key)
        held = self._under_way.get((dataset.scope, opened.key))
        if held is not None:
            self._check_same(opened, held)
            raise errors.key_in_use(opened.key)
        kept = dataset.saved.get(opened.key)
        if kept is not None and kept.created + KEPT_SECONDS < opened.created:
            self._store.forget_answer(dataset, opened.key)
            kept = None
        if kept is not None:
            self._check_same(opened, kept)
            return kept
        self._under_way[dataset.scope, opened.key] = opened
        return None

    def keep(self, dataset: Dataset, opened: SavedAnswer, status: int, body: bytes) -> None:
        """Goes to the database in the same transaction as what the execution wrote."""
        opened.status, opened.body = status, body
        self._store.save_answer(dataset, opened)

    def end(self, dataset: Dataset, opened: SavedAnswer) -> None:
        """The answer has left; until then a second request with the key is refused."""
        self._under_way.pop((dataset.scope, opened.key), None)

    @staticmethod
    def _check_same(asked: SavedAnswer, first: SavedAnswer) -> None:
        if (asked.method, asked.path) != (first.method, first.path):
            raise errors.key_reused_on_other_endpoint(asked.key, asked.path, first.path)
        if asked.fingerprint != first.fingerprint:
            raise errors.key_reused_with_other_parameters(asked.key)
