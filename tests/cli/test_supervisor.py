"""Starting in order, starting again, stopping in reverse: small real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.cli.child import ChildFailed, Program
from services.cli.processes import Process
from services.cli.supervisor import Supervisor
from tests.cli.processes_seen import is_running
from tests.waiting import eventually

CODE = """
import os, pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def note(what):
    with (folder / "notes").open("a") as notes: notes.write(f"{what} {name}\\n")
def stop(*_):
    note("stop")
    if "deaf" not in name: sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("start")
(folder / f"{name}.pid").write_text(str(os.getpid()))
while True: time.sleep(600)
"""


class Small:
    """Makes small processes that note in one file when they start and stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisors: list[Supervisor] = []

    def process(self, name: str, *needs: str, once_ready: Callable[[], Awaitable[None]] | None = None) -> Process:
        async def ready(pid: int) -> bool:
            return self.pid(name) == pid

        def program() -> Program:
            return Program(name, (sys.executable, "-c", CODE, str(self.folder), name), ready, environment=os.environ)

        return Process(name, program, needs, once_ready)

    def supervisor(self, *processes: Process) -> Supervisor:
        self.supervisors.append(Supervisor(processes, self.folder, self.said.append))
        return self.supervisors[-1]

    def pid(self, name: str) -> int:
        file = self.folder / f"{name}.pid"
        return int(file.read_text() or 0) if file.exists() else 0

    def notes(self) -> list[str]:
        return (self.folder / "notes").read_text().splitlines()


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    small = Small(tmp_path)
    yield small
    for supervisor in small.supervisors:
        await supervisor.stop()


async def test_processes_start_after_those_they_need(small: Small) -> None:
    supervisor = small.supervisor(small.process("a"), small.process("b", "a"), small.process("c", "b"))
    await supervisor.start()
    assert small.notes() == ["start a", "start b", "start c"]


async def test_processes_stop_in_reverse_order(small: Small) -> None:
    supervisor = small.supervisor(small.process("a"), small.process("b", "a"), small.process("c", "b"))
    await supervisor.start()
    assert await supervisor.stop()
    assert small.notes()[3:] == ["stop c", "stop b", "stop a"]


async def test_what_needs_a_process_waits_for_its_preparation(small: Small) -> None:
    async def prepare() -> None:
        assert small.notes() == ["start a"]
        with (small.folder / "notes").open("a") as notes:
            notes.write("prepare a\n")

    supervisor = small.supervisor(small.process("a", once_ready=prepare), small.process("b", "a"))
    await supervisor.start()
    assert small.notes() == ["start a", "prepare a", "start b"]


async def test_failed_start_is_told_and_leaves_nothing(small: Small) -> None:
    async def refuse() -> None:
        raise ChildFailed("The shelf is empty.")

    supervisor = small.supervisor(small.process("a"), small.process("b", "a", once_ready=refuse))
    with pytest.raises(ChildFailed, match="The shelf is empty"):
        await supervisor.start()
    await supervisor.stop()
    assert not is_running(small.pid("a"))
    assert not is_running(small.pid("b"))


async def test_killed_process_is_started_again_and_said(small: Small) -> None:
    supervisor = small.supervisor(small.process("a"))
    await supervisor.start()
    keeping = asyncio.create_task(supervisor.keep())
    first = small.pid("a")
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: "a runs again." in small.said)
    assert is_running(small.pid("a"))
    assert small.pid("a") != first
    assert small.said[0].startswith("a ended by SIGKILL")
    keeping.cancel()


async def test_pause_grows_while_a_process_keeps_dying(small: Small) -> None:
    supervisor = small.supervisor(small.process("a"))
    await supervisor.start()
    keeping = asyncio.create_task(supervisor.keep())
    for again in (1, 2):
        os.kill(small.pid("a"), signal.SIGKILL)
        await eventually(lambda again=again: small.said.count("a runs again.") == again)  # type: ignore[misc]  # a default binds the loop's value
    pauses = [line.rpartition("again in ")[2] for line in small.said if "ended" in line]
    assert pauses == ["0.5 s.", "1 s."]
    keeping.cancel()


async def test_who_cannot_wait_kills_what_is_slow(small: Small) -> None:
    supervisor = small.supervisor(small.process("deaf"))
    await supervisor.start()
    stopping = asyncio.create_task(supervisor.stop())
    await eventually(lambda: "stop deaf" in small.notes())
    supervisor.kill()
    async with asyncio.timeout(5):
        assert await stopping is False
    assert not is_running(small.pid("deaf"))
