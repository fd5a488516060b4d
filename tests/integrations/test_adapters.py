"""The same promises, held by every adapter: Stripe's on the sandbox, the manual one on Postgres, and the fake."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import stripe

from services.common.db import open_pool
from services.common.secret import Secret
from services.integrations import adapters
from services.integrations.adapters.manual.adapter import ManualAdapter
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.catalogue import Catalogue
from services.integrations.connection_values import Link
from services.integrations.discovery import offers
from services.integrations.own_invoices import PostgresInvoiceStore
from tests.conftest import Database
from tests.e2e.sandbox import Sandbox
from tests.e2e.stack import Stack
from tests.fakes.adapter import GOOD_KEY, SIGNATURE, FakeAdapter
from tests.fakes.book import MemoryBook
from tests.fakes.pace import NoPace
from tests.fakes.store import MemoryStore
from tests.integrations.adapter_contract import AdapterContract, KeysContract, Subject, ref


class Ways(NoPace):
    """In which way turns were waited for."""

    def __init__(self) -> None:
        self.yielding: list[bool] = []

    async def wait(self, link: Link, operation: str, patience: float) -> None:
        self.yielding.append(False)

    async def wait_idle(self, link: Link, operation: str, yielding: float, patience: float) -> None:
        self.yielding.append(True)


class TestStripe(KeysContract):
    @pytest.fixture
    def ways(self) -> Ways:
        return Ways()

    @pytest.fixture
    async def subject(self, stack: Stack, sandbox: Sandbox, ways: Ways) -> AsyncIterator[Subject]:
        account = await sandbox.make_account("contract")
        adapter = StripeAdapter(stack.url("sandbox"), stack.url("sandbox"), ways, MemoryBook())
        # Stripe takes plain http only on loopback, and https anywhere.
        keys = {"secret_key": account.sk_test, "publishable_key": account.pk_test}
        yield Subject(
            adapter,
            good=keys,
            rejected={**keys, "secret_key": "sk_test_" + "x" * 40},
            malformed={**keys, "secret_key": "hello"},
            signed=lambda body, secret: {
                "stripe-signature": stripe.WebhookSignature.generate_signature_header(body.decode(), secret)
            },
        )
        await adapter.close()

    async def test_what_nobody_waits_for_yields_with_every_call(self, subject: Subject, ways: Ways) -> None:
        _, link = await subject.connect()
        order = subject.order()
        made = await subject.adapter.create_invoice(link, order)
        assert not any(ways.yielding)
        ways.yielding.clear()
        unhurried = replace(link, background=True)
        assert await subject.adapter.find_invoice(unhurried, order.buyer, order.invoice_id, order.revision)
        await subject.adapter.void_invoice(unhurried, ref(made))
        await subject.adapter.get_invoice(unhurried, made.external_id)
        assert ways.yielding == [True] * 4


class TestManual(AdapterContract):
    @pytest.fixture
    async def subject(self, database: Database) -> AsyncIterator[Subject]:
        pool = await open_pool(Secret(await database("integrations", migrated=True)), "tests", largest=4)
        yield Subject(ManualAdapter(PostgresInvoiceStore(pool, "manual")), good={}, malformed={"key": "x"})
        await pool.close()


class TestManualInMemory(AdapterContract):
    """Holds the store in memory to what the real one does."""

    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(ManualAdapter(MemoryStore()), good={}, malformed={"key": "x"})


class TestFake(KeysContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(
            FakeAdapter(),
            good={"key": GOOD_KEY},
            rejected={"key": "fake_bad"},
            malformed={"key": "x"},
            signed=lambda _body, secret: {SIGNATURE: secret},
        )


def test_every_folder_with_a_factory_is_found() -> None:
    assert [offer.entry.provider for offer in offers()] == ["stripe", "manual"]


def test_catalogue_names_each_provider_once() -> None:
    catalogue = Catalogue([offer.entry for offer in offers()])
    names = [entry.provider for entry in catalogue]
    assert len(names) == len(set(names))
    assert all(entry.description.endswith(".") for entry in catalogue)


def test_no_provider_is_named_outside_its_folder() -> None:
    """But in the database's list of them."""
    service = Path(adapters.__file__).parents[1]
    words = re.compile("|".join(offer.entry.provider for offer in offers()), re.IGNORECASE)
    named = {
        str(file.relative_to(service))
        for file in (*service.rglob("*.py"), *service.rglob("*.sql"))
        if words.search(file.read_text()) and file.parents[1] != service / "adapters"
    }
    assert named == {"sql/migrations/0001_integrations.sql"}
