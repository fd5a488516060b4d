"""The state: accounts, keys, and one data set per account and mode; in memory, written through to the database."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from services.sandbox.clock import Clock
from services.sandbox.database import Database
from services.sandbox.records import (
    Account,
    ApiKey,
    Customer,
    Delivery,
    Endpoint,
    Event,
    Invoice,
    Mail,
    SavedAnswer,
)

Record = TypeVar("Record", Customer, Invoice, Event, Endpoint, Delivery, Mail)

Kept = TypeVar("Kept")

_encode: Final = msgspec.json.Encoder().encode


@dataclass
class Dataset:
    """What one account holds in one mode. Test and live never see each other."""

    account: Account
    livemode: bool
    customers: dict[str, Customer] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    saved: dict[str, SavedAnswer] = field(default_factory=dict)
    invoices_of: dict[str, dict[str, None]] = field(default_factory=dict)
    """Invoice ids by customer, oldest first."""
    deliveries_of: dict[str, dict[str, None]] = field(default_factory=dict)
    """Delivery ids by event."""
    invoice_of_token: dict[str, str] = field(default_factory=dict)
    seq: int = 0

    @property
    def scope(self) -> str:
        return f"{self.account.id}:{'live' if self.livemode else 'test'}"

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def index_invoice(self, invoice: Invoice) -> None:
        self.invoices_of.setdefault(invoice.body["customer"], {})[invoice.id] = None
        if invoice.hosted_token:
            self.invoice_of_token[invoice.hosted_token] = invoice.id
        for token in invoice.spent_tokens:
            self.invoice_of_token[token] = invoice.id

    def index_delivery(self, delivery: Delivery) -> None:
        self.deliveries_of.setdefault(delivery.event, {})[delivery.id] = None


class Store:
    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self.clock: Final = clock
        self.accounts: Final[dict[str, Account]] = {}
        self.keys: Final[dict[str, ApiKey]] = {}
        self.datasets: Final[dict[str, Dataset]] = {}
        self.outgoing: Final[list[tuple[Dataset, Delivery]]] = []
        """Deliveries made by the request under way, handed to the workers once it is committed."""
        self._settings: Final[dict[str, bytes]] = {}
        self._database: Final = Database(folder)
        self._load()

    # Accounts and keys -------------------------------------------------------------------------------------------

    def add_account(self, account: Account) -> None:
        self.accounts[account.id] = account
        self._database.put("account", "", account.id, _encode(account))
        for livemode in (False, True):
            dataset = Dataset(account, livemode)
            self.datasets[dataset.scope] = dataset

    def save_account(self, account: Account) -> None:
        self._database.put("account", "", account.id, _encode(account))

    def save_key(self, key: ApiKey) -> None:
        self.keys[key.value] = key
        self._database.put("key", "", key.value, _encode(key))

    def dataset(self, account_id: str, *, livemode: bool) -> Dataset:
        return self.datasets[f"{account_id}:{'live' if livemode else 'test'}"]

    # Objects -----------------------------------------------------------------------------------------------------

    def save(self, dataset: Dataset, record: Record) -> Record:
        if isinstance(record, Customer):
            dataset.customers[record.id] = record
        elif isinstance(record, Invoice):
            dataset.invoices[record.id] = record
            dataset.index_invoice(record)
        elif isinstance(record, Event):
            dataset.events[record.id] = record
        elif isinstance(record, Endpoint):
            dataset.endpoints[record.id] = record
        elif isinstance(record, Delivery):
            dataset.deliveries[record.id] = record
            dataset.index_delivery(record)
        else:
            dataset.mails[record.id] = record
        self._database.put(type(record).__name__.lower(), dataset.scope, record.id, _encode(record))
        return record

    def forget_invoice(self, dataset: Dataset, invoice: Invoice) -> None:
        del dataset.invoices[invoice.id]
        del dataset.invoices_of[invoice.body["customer"]][invoice.id]
        self._database.remove("invoice", dataset.scope, invoice.id)

    def forget_endpoint(self, dataset: Dataset, endpoint: Endpoint) -> None:
        del dataset.endpoints[endpoint.id]
        self._database.remove("endpoint", dataset.scope, endpoint.id)

    def forget_event(self, dataset: Dataset, event: Event) -> None:
        del dataset.events[event.id]
        self._database.remove("event", dataset.scope, event.id)
        for delivery_id in dataset.deliveries_of.pop(event.id, {}):
            del dataset.deliveries[delivery_id]
            self._database.remove("delivery", dataset.scope, delivery_id)

    def save_answer(self, dataset: Dataset, saved: SavedAnswer) -> None:
        dataset.saved[saved.key] = saved
        self._database.put("answer", dataset.scope, saved.key, _encode(saved))

    def forget_answer(self, dataset: Dataset, key: str) -> None:
        del dataset.saved[key]
        self._database.remove("answer", dataset.scope, key)

    def keep(self, name: str, value: object) -> None:
        """A setting of the sandbox itself."""
        self._settings[name] = _encode(value)
        self._database.put("setting", "", name, _encode({"name": name, "value": value}))

    def kept(self, name: str, kind: type[Kept]) -> Kept | None:
        body = self._settings.get(name)
        return None if body is None else msgspec.json.decode(body, type=kind)

    # Life --------------------------------------------------------------------------------------------------------

    def commit(self) -> list[tuple[Dataset, Delivery]]:
        """Writes what the request changed; returns the deliveries that may start now."""
        self._database.commit()
        if not self.outgoing:
            return []
        started = list(self.outgoing)
        self.outgoing.clear()
        return started

    def reset(self, account_id: str | None = None) -> None:
        """Empties all data sets, or those of one account. Accounts and keys stay."""
        for scope, dataset in self.datasets.items():
            if account_id is None or dataset.account.id == account_id:
                self._database.clear(scope)
                self.datasets[scope] = Dataset(dataset.account, dataset.livemode)
        self.outgoing.clear()

    def close(self) -> None:
        self._database.close()

    def _load(self) -> None:
        for _, body in self._database.rows("setting"):
            setting = msgspec.json.decode(body)
            self._settings[setting["name"]] = _encode(setting["value"])
        self.clock.offset = self.kept("clock_offset", float) or 0.0
        for _, body in self._database.rows("account"):
            self.add_account(msgspec.json.decode(body, type=Account))
        for _, body in self._database.rows("key"):
            key = msgspec.json.decode(body, type=ApiKey)
            self.keys[key.value] = key
        self._load_kind(Customer)
        self._load_kind(Invoice)
        self._load_kind(Event)
        self._load_kind(Endpoint)
        self._load_kind(Delivery)
        self._load_kind(Mail)
        for scope, body in self._database.rows("answer"):
            saved = msgspec.json.decode(body, type=SavedAnswer)
            self.datasets[scope].saved[saved.key] = saved
        self._database.discard()

    def _load_kind(self, kind: type[Record]) -> None:
        loaded = [
            (self.datasets[scope], msgspec.json.decode(body, type=kind))
            for scope, body in self._database.rows(kind.__name__.lower())
        ]
        for dataset, record in sorted(loaded, key=lambda pair: pair[1].seq):
            dataset.seq = max(dataset.seq, record.seq)
            self.save(dataset, record)
