"""`showbill up` as a person runs it: a process with a terminal's output, on ports and a folder of the test's own."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.cli.ports import OFFSETS
from tests.cli.processes_seen import arguments_of, descendants, holders_of, is_running
from tests.waiting import eventually, free_port

READY_SECONDS = 60


class Up:
    """One run of the command. `said` is what it printed so far."""

    def __init__(self, state: Path, environment: dict[str, str] | None = None) -> None:
        self.state = state
        self.said = ""
        self.children: list[int] = []
        self._environment = os.environ | (environment or {})
        self.ports = {name: free_port() for name in OFFSETS}
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was not started"
        return self._process.pid

    async def start(self) -> None:
        ports = [f"--{name}-port={port}" for name, port in self.ports.items()]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.cli", "up", "--state", str(self.state), *ports),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environment,
            start_new_session=True,  # a group of its own, as a shell gives to each command
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def until_ready(self) -> None:
        await eventually(self._is_ready_or_ended, READY_SECONDS, why="READY")
        assert "READY" in self.said, self.said
        self.children = descendants(self.pid)

    def _is_ready_or_ended(self) -> bool:
        return "Ctrl-C" in self.said or (self._reading is not None and self._reading.done())

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.said += line.decode()

    def ctrl_c(self) -> None:
        """What a terminal does: the signal goes to the whole group."""
        os.killpg(self.pid, signal.SIGINT)

    async def wait(self) -> int:
        """Until it ends; gives its exit code."""
        assert self._process is not None
        assert self._reading is not None
        await self._reading
        return await self._process.wait()

    def left(self) -> list[int]:
        """What still runs of it."""
        return [pid for pid in {*self.children, *holders_of(self.state)} if is_running(pid)]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def child(self, name: str) -> int:
        """The pid of a service."""
        return next(pid for pid in descendants(self.pid) if f"services.{name}" in arguments_of(pid))

    def demo_file(self) -> dict[str, str]:
        return dict(re.findall(r"(?m)^(\w+)=(.*)$", (self.state / "demo.env").read_text()))


@asynccontextmanager
async def running_up(state: Path, environment: dict[str, str] | None = None) -> AsyncIterator[Up]:
    """A ready stack for the length of a block."""
    up = Up(state, environment)
    await up.start()
    try:
        await up.until_ready()
        yield up
    finally:
        if is_running(up.pid):
            up.ctrl_c()
        await up.wait()
