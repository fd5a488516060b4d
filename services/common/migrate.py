"""Migrations: numbered plain SQL, run by dbmate under its lock, so that several replicas may start at once."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from services.common.errors import CannotStart
from services.common.secret import Secret, redact


class MigrationFailed(CannotStart):
    """The database could not be brought to this version's schema. Nothing of the failed migration was kept."""


class TableInUse(CannotStart):
    """A table that this version changes is in use by a long transaction, which was not waited for any longer, since
    everybody else would wait behind. Nothing of the migration was kept. End that transaction; then start again."""


LONGEST_WAIT: Final = "10s"
"""For a lock: meanwhile whoever needs the table stands behind. The lock of dbmate itself is waited for as it says."""
_WAITED: Final = "canceling statement due to lock timeout"


def _dbmate_url(url: str) -> str:
    """dbmate's driver asks for TLS unless told otherwise, asyncpg's does not: same meaning for both. What it does not
    know itself it sends to the server as a setting."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault("sslmode", "disable" if parts.hostname in ("127.0.0.1", "localhost", "::1") else "prefer")
    if query["sslmode"] == "prefer":
        query["sslmode"] = "require"
    query.setdefault("lock_timeout", LONGEST_WAIT)
    return urlunsplit(parts._replace(scheme="postgres", query=urlencode(query)))


async def migrate(url: Secret, folder: Path) -> None:
    """Applies what is missing. The address goes by environment, since arguments show in the process list.

    `url` is one that passed database_url.py: of another dbmate says in its own words what is wrong, and quotes it.
    """
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("dbmate"),
        *("--env-file", os.devnull, "--migrations-dir", folder, "--no-dump-schema", "--migration-lock", "migrate"),
        env={"DATABASE_URL": _dbmate_url(url.reveal()), "PATH": os.environ.get("PATH", "")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode and _WAITED in output.decode(errors="replace"):
        raise TableInUse(" ".join((TableInUse.__doc__ or "").split()))
    if process.returncode:
        raise MigrationFailed(f"{MigrationFailed.__doc__} {redact(output.decode(errors='replace')).strip()[-800:]}")
