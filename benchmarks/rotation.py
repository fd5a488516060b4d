"""Rotation of the key-encryption key under 10,000 connections, while their credentials are read without a pause.

Run: .venv/bin/python -m benchmarks.rotation [connections]

An embedded Postgres (fsync on). Three sealed fields a connection. The readers go the way of every provider call: row,
data key, fields; their keyring is the file, which they read again as a running service does. `showbill keys add`,
`rotate` and `retire` run as commands of their own; the time is that of the whole command `rotate`, waiting for the
service included. A read that does not give the right key back is a failed one.
"""

import asyncio
import base64
import os
import random
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from services.cli.child import Child
from services.cli.embedded.postgres import Postgres
from services.common.bus import Bus
from services.common.db import Pool, open_pool
from services.common.ids import new_id
from services.common.migrate import migrate
from services.common.outbox import Outbox
from services.common.secret import Secret
from services.integrations.__main__ import MIGRATIONS
from services.integrations.canary import check_keyring
from services.integrations.failures import AdapterError
from services.integrations.holding import Holding
from services.integrations.keyfile import FileKeyring
from services.integrations.opening import Opener
from services.integrations.repository import Repository
from services.integrations.vault import Vault
from tests.waiting import free_port

READERS: Final = 8
Connections = list[tuple[str, str]]
"""Workspace and connection."""


@dataclass
class Reads:
    """What the readers saw."""

    good: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)


def key_of(connection: str) -> str:
    return f"sk_test_{connection}"


async def seed(pool: Pool, vault: Vault, count: int) -> Connections:
    made = [(new_id(), new_id()) for _ in range(count)]
    rows, fields = [], []
    for workspace, connection in made:
        values = {"secret_key": key_of(connection), "publishable_key": "pk_test_x", "webhook_secret": "whsec_x"}
        sealed = await vault.seal(workspace, connection, {name: Secret(value) for name, value in values.items()})
        account = f"acct_{connection[:13]}"
        rows.append((connection, workspace, account, sealed.wrapped.blob, sealed.wrapped.key_id))
        fields += [(connection, name, blob) for name, blob in sealed.fields.items()]
    await pool.executemany(
        "INSERT INTO integrations (id, workspace_id, provider, status, account_id, livemode, wrapped_key, key_id,"
        " update_mode, connect_time, connected_by) VALUES ($1, $2, 'stripe', 'active', $3, false, $4, $5, 'live',"
        " now(), 'user:1')",
        rows,
    )
    await pool.copy_records_to_table("credentials", records=fields, columns=["integration_id", "field", "ciphertext"])
    return made


async def read(opener: Opener, made: Connections, reads: Reads) -> None:
    while True:
        workspace, connection = random.choice(made)
        began = time.perf_counter()
        try:
            _, link = await opener.open(workspace, "stripe")
            right = link.credentials["secret_key"].reveal() == key_of(connection)
        except AdapterError:
            right = False
        reads.seconds.append(time.perf_counter() - began)
        reads.good += right
        reads.failed += not right


async def showbill(environment: dict[str, str], *arguments: str) -> float:
    began = time.perf_counter()
    command = (sys.executable, "-P", "-m", "services.cli", "keys", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env={"PATH": os.environ["PATH"], **environment}, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return time.perf_counter() - began


async def measure(url: str, folder: Path, count: int) -> str:
    file = folder / "credential.keys"
    await asyncio.to_thread(file.write_text, f"old={base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    await migrate(Secret(url), MIGRATIONS)
    pool = await open_pool(Secret(url), "benchmark", largest=READERS + 2)
    keyring = FileKeyring(file, partial(check_keyring, pool))
    await keyring.load()
    vault = Vault(keyring)
    made = await seed(pool, vault, count)
    await pool.execute("ANALYZE")
    opener = Opener(Repository(pool, Outbox(pool, Bus(Secret("nats://127.0.0.1:9"), "benchmark"))), vault)
    holding = Holding(pool, keyring)
    await holding.say()
    reads, before = Reads(), Reads()
    quiet = [asyncio.create_task(read(opener, made, before)) for _ in range(READERS)]
    await asyncio.sleep(3)
    await stop(quiet)
    tasks = [
        asyncio.create_task(holding.run()),
        *(asyncio.create_task(read(opener, made, reads)) for _ in range(READERS)),
    ]
    environment = {"DATABASE_URL": url, "CREDENTIAL_KEYS_FILE": str(file)}
    await showbill(environment, "add", "new")
    seconds = await showbill(environment, "rotate")
    await showbill(environment, "retire", "old")
    await asyncio.sleep(2)  # some reads more without the old key
    await stop(tasks)
    left = await pool.fetchval("SELECT count(*) FROM integrations WHERE key_id <> 'new' OR status <> 'active'")
    await pool.close()
    assert left == 0, f"{left} connections were left behind"
    return (
        f"| {count:,} | {seconds:.1f} s | {count / seconds:,.0f} | {reads.good + reads.failed:,} | {reads.failed} "
        f"| {percentile(before.seconds):.1f} ms | {percentile(reads.seconds):.1f} ms |"
    )


async def stop(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def percentile(seconds: list[float]) -> float:
    """The 99th, in milliseconds."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = Postgres(folder / "postgres", free_port(), secrets.token_urlsafe(16))
        server = Child(await asyncio.to_thread(postgres.prepare), folder / "postgres.log")
        await server.start()
        try:
            url = await postgres.create_database("integrations", "benchmark")
            print("| connections | rotation | a second | reads meanwhile | failed | p99 before | p99 meanwhile |")
            print("|---|---|---|---|---|---|---|")
            print(await measure(url, folder, count))
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
