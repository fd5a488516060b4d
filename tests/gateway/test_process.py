"""The gateway as the process that it is in production."""

import asyncio
import base64
import json
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from services.cli.child import Child, Program
from services.cli.embedded.nats import Nats
from services.cli.readiness import http_ok
from tests.conftest import Database
from tests.waiting import eventually, free_port

PASSWORD = "a-very-secret-password"
TOKEN = "showbill_" + "secret" * 8


def environment(database_url: str, nats_url: str, listen: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "NATS_URL": nats_url,
        "SERVICE_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "INTEGRATIONS_ADDRESS": "127.0.0.1:1",
        "INVOICING_ADDRESS": "127.0.0.1:1",
        "HTTP_LISTEN": listen,
        "BOOTSTRAP_EMAIL": "first@example.com",
        "BOOTSTRAP_PASSWORD": PASSWORD,
        "BOOTSTRAP_API_TOKEN": TOKEN,
    }


async def run(variables: dict[str, str]) -> tuple[int | None, str]:
    """Runs it to its end; answers the exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway"),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_it_starts_alone_and_stops_in_peace(database: Database, nats: Nats, tmp_path: Path) -> None:
    port, metrics_port = free_port(), free_port()
    variables = environment(await database("gateway"), nats.url, f"127.0.0.1:{port}")
    log = tmp_path / "gateway.log"
    program = Program(
        name="gateway",
        argv=(sys.executable, "-m", "services.gateway"),
        ready=http_ok(port, "/api/health"),
        environment=variables | {"METRICS_LISTEN": f"127.0.0.1:{metrics_port}"},
        cwd=Path.cwd(),
        start_seconds=60,
    )
    child = Child(program, log)
    await child.start()
    async with (
        aiohttp.request("GET", f"http://127.0.0.1:{port}/api/shows") as refused,
        aiohttp.request("GET", f"http://127.0.0.1:{metrics_port}/metrics") as figures,
    ):
        assert refused.status == 401
        counted = 'showbill_http_seconds_count{method="GET",route="/api/shows",status="401"} 1.0'
        assert counted in await figures.text()
    os.kill(child.pid, signal.SIGTERM)
    assert await child.wait() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["service"] for line in lines} == {"gateway"}
    events = [line["event"] for line in lines]
    assert events[-1] == "stopped"
    assert "first owner made" in events
    for secret in (PASSWORD, TOKEN, program.environment["SERVICE_SIGNING_KEY"]):
        assert secret not in log.read_text()


async def test_port_zero_takes_a_free_one_and_tells_it(database: Database, nats: Nats) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway"),
        env=environment(await database("gateway"), nats.url, "127.0.0.1:0"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    ports: list[int] = []
    while not ports:
        line = json.loads(await asyncio.wait_for(process.stderr.readline(), 30))
        ports += [line["port"]] if line["event"] == "listening" else []
    await eventually(lambda: http_ok(ports[0], "/api/health/live")(0))
    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def test_a_taken_port_is_named(nats: Nats) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = await run(environment("postgres://nobody@127.0.0.1:1/x", nats.url, address))
    assert code == 1
    assert f"{address} cannot be listened on" in said
    assert "Traceback" not in said


async def test_unfit_first_owner_is_told_in_a_sentence(database: Database, nats: Nats) -> None:
    variables = environment(await database("gateway"), nats.url, "127.0.0.1:0") | {"BOOTSTRAP_PASSWORD": "short"}
    code, said = await run(variables)
    assert code == 1
    assert "BOOTSTRAP_PASSWORD is not fit" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("HTTP_LISTEN", "8080", "HTTP_LISTEN is not usable: it must be host:port"),
        ("PUBLIC_URL", "showbill.example", "PUBLIC_URL is not usable: it must be an http or https address"),
        ("SERVICE_SIGNING_KEY", "secret", "SERVICE_SIGNING_KEY is not usable: it must be the base64 of 32 bytes"),
    ],
)
async def test_wrong_settings_are_named(name: str, value: str, says: str) -> None:
    variables = environment("postgres://x", "nats://x", "127.0.0.1:0") | {name: value}
    code, said = await run(variables)
    assert code == 2
    assert says in said
    assert PASSWORD not in said
