"""A file as large as is allowed: taken in the room of a few batches, while others are served."""

import base64
import re
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.cli.child import Program
from services.cli.embedded.nats import Nats
from services.cli.readiness import http_ok
from services.common.secret import Secret
from services.common.tokens import parse_public_keys, public_key_of
from services.gateway.imports.upload import LARGEST_FILE
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.conftest import Database, running
from tests.gateway.fakes.scripted import Scripted
from tests.gateway.test_process import TOKEN, environment
from tests.waiting import free_port

ROOM = 45
"""Megabytes that the gateway may grow by: it takes some 25, less than the file alone."""
HEADER = "item_number,title,price\n"


@pytest.fixture
async def invoicing() -> AsyncIterator[tuple[Scripted, str, str]]:
    """A service that takes everything; its address, and the key that it knows the gateway by."""
    seed = base64.b64encode(secrets.token_bytes(32)).decode()
    keys = parse_public_keys(f"gateway={public_key_of(Secret(seed))}")
    service = Scripted("invoicing", [pb.DESCRIPTOR.services_by_name["ShowsService"]], keys)
    address = f"127.0.0.1:{free_port()}"
    await service.start(address)
    yield service, address, seed
    await service.stop()


def largest_file(path: Path) -> int:
    """Writes it; answers how many items it holds."""
    title, count = "Ein Ding für £5, " * 25, 0
    with path.open("w", encoding="utf-8") as file:
        size = file.write(HEADER)
        while size < LARGEST_FILE - 4_000:
            line = f'{count},"{title}{count}",{count}{" " * 2_000}\n'
            file.write(line)
            size += len(line.encode())
            count += 1
    return count


async def test_the_largest_file_is_taken_in_little_room(
    database: Database, nats: Nats, invoicing: tuple[Scripted, str, str], tmp_path: Path
) -> None:
    service, address, seed = invoicing
    port, path = free_port(), tmp_path / "items.csv"
    count = largest_file(path)
    variables = environment(await database("gateway"), nats.url, f"127.0.0.1:{port}")
    variables |= {"INVOICING_ADDRESS": address, "SERVICE_SIGNING_KEY": seed}
    program = Program(
        name="gateway",
        argv=(sys.executable, "-m", "services.gateway"),
        ready=http_ok(port, "/api/health/live"),
        environment=variables,
        cwd=Path.cwd(),
        start_seconds=60,
    )

    async def take(request: Any) -> Any:
        async with session.get("/api/health/live") as answer:  # the event loop is free meanwhile
            assert answer.status == 200
        return pb.StreamItemsResponse(created_count=len(request.items))

    service.script("StreamItems", take)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/csv"}
    async with (
        running(program, tmp_path / "gateway.log") as child,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session,
    ):
        small = HEADER + "".join(f"{n},x,1\n" for n in range(5_000))
        async with session.post("/api/shows/s/imports/items", data=small) as answer:
            assert answer.status == 200
        process = Path(f"/proc/{child.pid}")
        before = megabytes(process, "VmRSS")
        (process / "clear_refs").write_text("5")  # the peak is counted from here
        with path.open("rb") as file:
            async with session.post("/api/shows/s/imports/items", data=file) as answer:
                report = await answer.json()
        assert (report["created"], report["rejectedCount"]) == (count, 0)
        assert max(len(call.request.items) for call in service.calls["StreamItems"]) <= 5_000
        assert megabytes(process, "VmHWM") - before < ROOM


def megabytes(process: Path, line: str) -> int:
    found = re.search(rf"^{line}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) // 1024
