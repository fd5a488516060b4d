"""The servers that tests run against, real ones: Postgres and NATS out of their packages, once a session."""

import itertools
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from services.cli.child import Child, Program
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.common.migrate import migrate
from services.common.secret import Secret
from tests.waiting import free_port

pytest_plugins = ("tests.e2e.fixtures",)
SERVICES = Path(__file__).parent.parent / "services"
# How long an example takes says more of the machine than of what is tested.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@asynccontextmanager
async def running(program: Program, log: Path) -> AsyncIterator[Child]:
    """A program that runs for the length of a block."""
    child = Child(program, log)
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A Postgres server of this session."""
    folder = tmp_path_factory.mktemp("postgres")
    # No test of these crashes the machine itself, and a database made and dropped for each waits on the disk.
    server = Postgres(folder, free_port(), secrets.token_urlsafe(16), {"fsync": "off", "full_page_writes": "off"})
    async with running(server.prepare(), folder / "postgres.log"):
        yield server


@pytest.fixture(scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nats]:
    """A NATS server of this session, JetStream on. `nats.url` holds user and password."""
    folder = tmp_path_factory.mktemp("nats")
    server = Nats(folder, free_port(), secrets.token_urlsafe(16))
    async with running(server.prepare(), folder / "nats.log"):
        yield server


class Database(Protocol):
    """`await database("invoicing")`: the URL of a fresh empty database of the role `invoicing`.

    With `migrated=True` the migrations of that service have run in it: a copy of a template that is made once.
    """

    def __call__(self, service: str, *, migrated: bool = False) -> Awaitable[str]: ...


class DatabaseMaker:
    """Makes databases on the session's server, and drops them."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._passwords: defaultdict[str, str] = defaultdict(lambda: secrets.token_urlsafe(16))
        self._templates: set[str] = set()
        self._numbers = itertools.count(1)

    async def make(self, service: str, *, migrated: bool = False) -> str:
        template = await self._template(service) if migrated else None
        return await self._create(f"{service}_{next(self._numbers)}", service, template)

    async def drop(self, url: str) -> None:
        connection = await asyncpg.connect(self._server.url())
        await connection.execute(f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')
        await connection.close()

    async def _template(self, service: str) -> str:
        name = f"{service}_template"
        if name not in self._templates:
            await migrate_service(await self._create(name, service, None), service)
            self._templates.add(name)
        return name

    async def _create(self, name: str, service: str, template: str | None) -> str:
        return await self._server.create_database(name, self._passwords[service], role=service, template=template)


def database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def migrate_service(url: str, service: str) -> None:
    """Run the migrations of a service, as it does itself when it starts."""
    await migrate(Secret(url), SERVICES / service / "sql" / "migrations")


@pytest.fixture(scope="session")
def database_maker(postgres: Postgres) -> DatabaseMaker:
    """For fixtures that live longer than one test; these drop what they made."""
    return DatabaseMaker(postgres)


@pytest.fixture
async def database(database_maker: DatabaseMaker) -> AsyncIterator[Database]:
    """Makes databases for one test, and drops them after it."""
    made: list[str] = []

    async def make(service: str, *, migrated: bool = False) -> str:
        made.append(await database_maker.make(service, migrated=migrated))
        return made[-1]

    yield make
    for url in made:
        await database_maker.drop(url)
