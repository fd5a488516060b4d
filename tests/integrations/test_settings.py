"""Settings of the integrations service that are not usable keep it from starting, each named in a sentence."""

import asyncio
import base64
import os
import sys

import pytest

from services.cli.embedded.nats import Nats
from services.common.ids import new_id
from tests.conftest import Database

KEY = base64.b64encode(bytes(32)).decode()
SETTINGS = {
    "PATH": os.environ["PATH"],
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/x",
    "NATS_URL": "nats://127.0.0.1:1",
    "SERVICE_PUBLIC_KEYS": f"gateway={KEY}",
    "CREDENTIAL_KEYS": f"a={KEY}",
    "GRPC_LISTEN": "127.0.0.1:0",
}


async def run(settings: dict[str, str]) -> tuple[int | None, str]:
    """Runs it to its end; answers the exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.integrations"),
        env=SETTINGS | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def test_all_unusable_settings_are_named_at_once() -> None:
    wrong = {
        "GRPC_LISTEN": "8401",
        "PUBLIC_URL": "showbill.example",
        "STRIPE_API_BASE": "ftp:nonsense",
        "STRIPE_DASHBOARD_BASE": "dashboard",
        "STRIPE_RATE_LIVE": "nan",
        "STRIPE_RATE_TEST": "-3",
        "STRIPE_RATE_PER_OPERATION": "0",
        "STRIPE_WEBHOOK_CONNECTION": "the-first-one",
        "CREDENTIAL_KEYS": "a=c2hvcnQ=",
    }
    code, said = await run(wrong)
    assert code == 2
    assert {line.split()[1] for line in said.splitlines()} == set(wrong)
    assert "c2hvcnQ" not in said


@pytest.mark.parametrize(
    "half",
    [{"STRIPE_WEBHOOK_SECRET": "whsec_planted"}, {"STRIPE_WEBHOOK_CONNECTION": new_id()}],
    ids=["secret", "connection"],
)
async def test_half_a_plain_address_is_refused(database: Database, nats: Nats, half: dict[str, str]) -> None:
    settings = half | {"DATABASE_URL": await database("integrations"), "NATS_URL": nats.url}
    code, said = await run(settings)
    assert code == 1
    assert "Set both or neither." in said
    assert "Traceback" not in said
    assert "planted" not in said
