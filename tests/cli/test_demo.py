"""`showbill demo` as a person runs it, on a small show, against a stack of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.up_command import Up, running_up

ITEMS = """item_number,title,price
1,LANTERN,1250
2,CANDLE,300
3,MYSTERY BOX,
"""
CLAIMS = """claim_id,platform,platform_user_id,user_handle,item_number,quantity,status,claimed_at
c1,facebook,ann,@ann,1,2,winner,2010-12-01T08:26:00+00:00
c2,facebook,bob,@bob,2,1,winner,2010-12-01T08:26:01+00:00
c3,facebook,bob,@bob,1,1,released,2010-12-01T08:26:02+00:00
c4,facebook,cay,@cay,3,1,winner,2010-12-01T08:26:03+00:00
"""


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    async with running_up(tmp_path_factory.mktemp("demo") / "state") as up:
        yield up


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show")
    (folder / "items.csv").write_text(ITEMS)
    (folder / "claims.csv").write_text(CLAIMS)
    return folder


async def demo(state: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "demo", "--state", str(state), *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_main_job_is_done_once_and_found_again(running: Up, show: Path) -> None:
    code, said = await demo(running.state, "--show", str(show), "--pay", "1")
    assert code == 0, said
    for words in (
        "Items: 3 created, 0 updated, 0 unchanged, 0 refused.",
        "Claims: 4 created, 0 updated, 0 unchanged, 0 refused.",
        "3 created, 1 of them held back as drafts, 0 failed.",
        "1 buyer paid, and every payment was heard over the WebSocket.",
        "3 invoices, £28.00 in all: 2 draft, 1 paid.",
    ):
        assert words in said

    code, said = await demo(running.state, "--show", str(show), "--pay", "0")
    assert code == 0, said
    assert "Claims: 0 created, 0 updated, 4 unchanged, 0 refused." in said
    assert "Every buyer already has an invoice." in said
    assert "3 invoices, £28.00 in all: 2 draft, 1 paid." in said


async def test_a_show_that_is_not_there_is_told(running: Up, tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text(CLAIMS)
    code, said = await demo(running.state, "--show", str(tmp_path))
    assert code == 1
    assert said.startswith(f"{tmp_path} has no items.csv and claims.csv.")


async def test_without_a_running_showbill_it_says_how_to_start_one(running: Up, tmp_path: Path) -> None:
    code, said = await demo(tmp_path / "state")
    assert (code, "./run up" in said) == (1, True)
    (tmp_path / "demo.env").write_text(
        (running.state / "demo.env").read_text().replace(f":{running.ports['gateway']}", ":1")
    )
    code, said = await demo(tmp_path)
    assert code == 1
    assert "Nobody answers at http://127.0.0.1:1." in said
    assert "Traceback" not in said
