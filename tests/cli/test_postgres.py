"""The embedded Postgres: as whom it runs, and what survives."""

import os
import pwd
import shutil
from pathlib import Path

import asyncpg
import pytest

from services.cli.child import Child
from services.cli.embedded import postgres_user
from services.cli.embedded.postgres import Postgres
from tests.conftest import running
from tests.waiting import free_port

NOBODY = pwd.getpwnam("nobody").pw_uid
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to appear as somebody else")


async def write_and_read(server: Postgres) -> int:
    """One row more at each call; gives how many there are."""
    connection = await asyncpg.connect(await server.create_database("kept", "secret"))
    await connection.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())")
    await connection.execute("INSERT INTO visits DEFAULT VALUES")
    count: int = await connection.fetchval("SELECT count(*) FROM visits")
    await connection.close()
    return count


def server_in(folder: Path) -> Postgres:
    return Postgres(folder, free_port(), "secret")


async def test_second_start_finds_the_data(tmp_path: Path) -> None:
    for expected in (1, 2):
        server = server_in(tmp_path)
        async with running(server.prepare(), tmp_path / "log"):
            assert await write_and_read(server) == expected


async def test_killed_server_comes_back_with_its_data(tmp_path: Path) -> None:
    server = server_in(tmp_path)
    async with running(server.prepare(), tmp_path / "log") as child:
        assert await write_and_read(server) == 1
        os.kill(child.pid, 9)
        assert await child.wait() == -9
    async with running(server.prepare(), tmp_path / "log"):
        assert await write_and_read(server) == 2


async def test_first_start_that_was_killed_leaves_nothing_half_made(tmp_path: Path) -> None:
    half_made = tmp_path / "new-killed"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server = server_in(tmp_path)
    async with running(server.prepare(), tmp_path / "log"):
        assert await write_and_read(server) == 1
    assert not half_made.exists()


async def test_no_password_no_entry(tmp_path: Path) -> None:
    server = server_in(tmp_path)
    async with running(server.prepare(), tmp_path / "log"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url(password="guess"))


@as_root
async def test_root_appears_as_nobody_in_a_namespace(tmp_path: Path) -> None:
    program = server_in(tmp_path).prepare()
    if not program.run_as.startswith("namespace:"):
        pytest.skip("no user namespaces on this machine")
    assert (tmp_path / "data").stat().st_uid == 0


@as_root
async def test_root_without_namespaces_becomes_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that nobody may not walk to, as pytest's are."""
    monkeypatch.setattr(postgres_user, "_may", lambda _run_as: False)
    for expected in (1, 2):
        server = server_in(tmp_path)
        async with running(server.prepare(), tmp_path / "log") as child:
            assert await write_and_read(server) == expected
            assert _uid(child) == NOBODY


@as_root
async def test_programs_that_nobody_may_not_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = Path("/var/tmp") / f"showbill-test-{os.getpid()}"  # pytest's own folders are closed to nobody
    copies.mkdir(mode=0o755)
    monkeypatch.setattr(postgres_user, "_may", lambda _run_as: False)
    monkeypatch.setattr(postgres_user, "_walkable", lambda _folder: False)
    monkeypatch.setattr(postgres_user, "COPIES", copies)
    server = server_in(tmp_path)
    try:
        program = server.prepare()
        assert program.argv[0].startswith(str(copies))
        async with running(program, tmp_path / "log"):
            assert await write_and_read(server) == 1
    finally:
        shutil.rmtree(copies)


def _uid(child: Child) -> int:
    return Path(f"/proc/{child.pid}").stat().st_uid
