"""`showbill up`, whole: real servers, real services, real signals."""

import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.rest import Rest
from services.cli.state import StateFolder
from services.common.client import GrpcClient
from services.common.context import Identity
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.status import RemoteError
from services.common.tokens import Signer
from services.integrations.keyring import read_entries
from services.rpc.showbill.invoicing.v1 import invoicing_pb2
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import InvoicesServiceStub
from tests.cli.processes_seen import arguments_of, descendants, environment_of, is_running, listening_addresses
from tests.cli.up_command import Up, running_up
from tests.waiting import eventually

PROCESSES = ["postgres", "nats", "sandbox", "integrations", "invoicing", "gateway"]


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One stack for the tests that leave it as it is."""
    async with running_up(tmp_path_factory.mktemp("up") / "state") as up:
        yield up


@pytest.fixture(scope="module")
async def ended(tmp_path_factory: pytest.TempPathFactory) -> Up:
    """One that Ctrl-C has ended, with the folder that it left."""
    async with running_up(tmp_path_factory.mktemp("ended") / "state") as up:
        return up


async def test_ready_says_where_to_look_and_how_to_sign_in(running: Up) -> None:
    values = running.demo_file()
    for words in (running.url("gateway"), values["SHOWBILL_EMAIL"], values["SHOWBILL_PASSWORD"], "./run demo"):
        assert words in running.said
    assert values["SHOWBILL_API_TOKEN"] not in running.said
    async with Rest(running.url("gateway"), values["SHOWBILL_API_TOKEN"]) as rest:
        assert (await rest.call("GET", "/api/integrations"))["items"]


async def test_everything_listens_on_loopback_alone(running: Up) -> None:
    addresses = listening_addresses(running.children)
    assert len(addresses) >= len(PROCESSES)
    assert {host for host, _ in addresses} == {"127.0.0.1"}


async def test_messaging_service_of_the_operator_has_a_key(running: Up) -> None:
    secrets = json.loads(StateFolder(running.state).secrets.read_text())
    client = GrpcClient(
        f"127.0.0.1:{running.ports['invoicing']}",
        "invoicing",
        Signer("messaging", Secret(secrets["messaging_signing_key"])),
    )
    request = invoicing_pb2.ReportDeliveryRequest(delivery_id=new_id(), state=invoicing_pb2.DELIVERY_STATE_DELIVERED)
    report = InvoicesServiceStub(client.channel).ReportDelivery
    with pytest.raises(RemoteError) as nothing:
        await client.call(report, request, Identity(new_id(), "worker:messaging"))
    assert nothing.value.kind is Kind.NOT_FOUND
    await client.close()


async def test_second_copy_on_the_folder_is_refused(running: Up) -> None:
    second = Up(running.state)
    await second.start()
    assert await second.wait() == 1
    assert second.said.startswith(f"Showbill already runs on {running.state}, as process {running.pid}.")


async def test_taken_ports_are_named(running: Up, tmp_path: Path) -> None:
    second = Up(tmp_path / "state")
    taken = second.ports["postgres"] = running.ports["postgres"]
    await second.start()
    assert await second.wait() == 1
    assert f"Port {taken}, wanted by postgres, is taken by another program." in second.said
    assert "--postgres-port or SHOWBILL_POSTGRES_PORT" in second.said


async def test_killed_service_is_started_again(running: Up) -> None:
    killed = running.child("invoicing")
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: "invoicing runs again." in running.said, timeout=30)
    assert "invoicing ended by SIGKILL" in running.said
    assert is_running(running.child("invoicing"))
    running.children = descendants(running.pid)


async def test_no_secret_reaches_logs_or_arguments(running: Up) -> None:
    folder = StateFolder(running.state)
    logs = "".join(path.read_text(errors="replace") for path in folder.logs.iterdir())
    arguments = str([arguments_of(pid) for pid in descendants(running.pid)])
    values = dict(re.findall(r'"(\w+)": "([^"]+)"', folder.secrets.read_text()))
    values |= {name: key.reveal() for name, key in read_entries(folder.keyring.read_text()).items()}
    secret = {name: value for name, value in values.items() if name != "service_public_keys"}
    assert len(secret) >= 14
    assert [name for name, value in secret.items() if value in logs or value in arguments] == []


async def test_ctrl_c_leaves_no_process(ended: Up) -> None:
    assert len(ended.children) >= len(PROCESSES)
    assert await ended.wait() == 0, ended.said
    assert ended.said.endswith("Stopped.\n")
    assert ended.left() == []


async def test_ctrl_c_while_starting_leaves_no_process(tmp_path: Path) -> None:
    up = Up(tmp_path / "state")
    await up.start()
    up.children = await eventually(lambda: descendants(up.pid))
    await eventually(lambda: "Starting" in up.said)
    up.ctrl_c()
    assert await up.wait() == 0, up.said
    assert up.left() == []


async def test_ctrl_c_that_reaches_a_young_child_first_is_no_failure(tmp_path: Path) -> None:
    up = Up(tmp_path / "state")
    await up.start()
    up.children = await eventually(lambda: descendants(up.pid))
    up.ctrl_c()
    for child in up.children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGINT)
    assert await up.wait() == 0, up.said
    assert up.left() == []


async def test_killed_supervisor_leaves_no_orphan_and_the_next_start_resumes_with_all_data(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running_up(state) as first:
        values = first.demo_file()
        async with Rest(first.url("gateway"), values["SHOWBILL_API_TOKEN"]) as rest:
            show = await rest.call("POST", "/api/shows", {"name": "Kept", "currency": "GBP"})
            keys = {"secretKey": values["STRIPE_SECRET_KEY"], "publishableKey": values["STRIPE_PUBLISHABLE_KEY"]}
            await rest.call("POST", "/api/integrations/stripe/connect", keys)
        os.kill(first.pid, signal.SIGKILL)
        assert await first.wait() == -signal.SIGKILL
        await eventually(lambda: not first.left())
    async with running_up(state) as second:
        assert second.demo_file()["SHOWBILL_PASSWORD"] == values["SHOWBILL_PASSWORD"]
        async with Rest(second.url("gateway"), values["SHOWBILL_API_TOKEN"]) as rest:
            assert (await rest.call("GET", f"/api/shows/{show['id']}"))["name"] == "Kept"
            assert (await rest.call("GET", "/api/integrations/stripe/test"))["healthy"]


async def test_named_stripe_means_no_sandbox(ended: Up) -> None:
    async with running_up(ended.state, {"STRIPE_API_BASE": "http://127.0.0.1:9"}) as up:
        with pytest.raises(StopIteration):
            up.child("sandbox")
        environment = environment_of(up.child("integrations"))
        assert "STRIPE_API_BASE=http://127.0.0.1:9" in environment
        assert "PUBLIC_URL=" in environment
        assert "http://127.0.0.1:9" in up.said
        assert "SANDBOX_URL" not in up.demo_file()


async def test_foreign_secrets_file_is_told_apart(ended: Up, tmp_path: Path) -> None:
    """The passwords of another folder do not open this one's database; nothing is changed by trying."""
    kept = shutil.move(ended.state / "secrets.json", tmp_path / "kept.json")
    up = Up(ended.state)
    await up.start()
    assert await up.wait() == 1
    assert "are not those of the Postgres data beside it" in up.said
    assert up.left() == []
    shutil.move(kept, ended.state / "secrets.json")
