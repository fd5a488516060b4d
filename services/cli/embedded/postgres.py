"""A Postgres server out of its Python package, run from a folder, on loopback, with passwords."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT, SIGQUIT
from urllib.parse import quote

import asyncpg

from services.cli.child import ChildFailed, Program, leashed
from services.cli.embedded.postgres_user import Runner, find_runner

SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # A statement in the log would bring its values with it, sealed secrets among them.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
INITDB = (
    *("--username", SUPERUSER, "--pwfile=/dev/stdin", "--auth=scram-sha-256", "--no-instructions"),
    *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
)


class Postgres:
    """A server that keeps its data in `folder`/data. `settings` are added to, or replace, those above."""

    def __init__(self, folder: Path, port: int, password: str, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self._password = password
        self._settings = SETTINGS | dict(settings or {}) | {"port": str(port)}

    def url(self, database: str = "postgres", role: str = SUPERUSER, password: str | None = None) -> str:
        """The address of a database, as asyncpg and dbmate understand it."""
        secret = quote(self._password if password is None else password, safe="")
        return f"postgres://{role}:{secret}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def prepare(self) -> Program:
        """Make the data folder when it is not there yet and say how to run the server. Blocking, up to a second."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        runner = find_runner(self.folder)
        data = self.folder / "data"
        if not data.exists():
            self._initialise(runner, data)
        arguments = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(str(runner.bin / "postgres"), "-D", runner.seen(data), *arguments),
            ready=_ReadyProbe(data),
            environment=_environment(),
            cwd=data,
            run_as=runner.run_as,
            stop_signal=SIGINT,  # "fast": open transactions are rolled back
            force_signal=SIGQUIT,  # "immediate": recovers at the next start
            death_signal=SIGINT,
            start_seconds=60,  # a long recovery after a crash
            stop_seconds=15,
        )

    def _initialise(self, runner: Runner, data: Path) -> None:
        """Make it beside its place and move it there: a first start that is killed leaves nothing half made."""
        for leftover in self.folder.glob("new-*"):
            shutil.rmtree(leftover)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self.folder))
        with tempfile.TemporaryFile("w+", dir=self.folder) as password:
            password.write(self._password)
            password.seek(0)
            runner.hand_over(fresh, password.fileno())
            done = subprocess.run(
                leashed((str(runner.bin / "initdb"), "-D", runner.seen(fresh), *INITDB), runner.run_as, SIGINT),
                stdin=password,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(),
                cwd=fresh,
                start_new_session=True,
                text=True,
                errors="replace",
                check=False,
            )
        if done.returncode != 0:
            shutil.rmtree(fresh)
            raise ChildFailed(f"Postgres could not make its data folder in {self.folder}:\n  {done.stdout.strip()}")
        fresh.rename(data)

    async def create_database(
        self, name: str, password: str, *, role: str | None = None, template: str | None = None
    ) -> str:
        """Make a database that only its role may enter, and that role (named like it). Idempotent. Returns the URL."""
        owner = role or name
        connection = await asyncpg.connect(self.url())
        try:
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", owner):
                secret = await connection.fetchval("SELECT quote_literal($1)", password)
                await connection.execute(f'CREATE ROLE "{owner}" LOGIN PASSWORD {secret}')
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                source = f'TEMPLATE "{template}"' if template else ""
                await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}" {source}')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        finally:
            await connection.close()
        return self.url(name, owner, password)


class _ReadyProbe:
    """Postgres says so in postmaster.pid. The stale file of a killed server says so too, but with another pid."""

    def __init__(self, data: Path) -> None:
        self._file = data / "postmaster.pid"

    async def __call__(self, pid: int) -> bool:
        lines: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            lines = self._file.read_text().splitlines()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _environment() -> dict[str, str]:
    """Not ours: PGDATA, PGPORT and their like would change what is asked for, and a locale the messages."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
