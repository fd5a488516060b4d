"""Starts processes in the order of their needs, starts again what dies, stops all in reverse."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from services.cli.child import Child, ChildFailed, describe_exit
from services.cli.processes import Process

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
"""Who ran this long has recovered: its next pause is the first again."""


class Supervisor:
    """Runs a list of processes, given so that each comes after those it needs."""

    def __init__(
        self, processes: Sequence[Process], logs: Path, say: Callable[[str], None], inherit: tuple[int, ...] = ()
    ) -> None:
        self._processes = processes
        self._logs = logs
        self._say = say
        self._inherit = inherit
        self._children: dict[str, Child] = {}
        self._ready = {process.name: asyncio.Event() for process in processes}

    async def start(self) -> None:
        """Start all, independent ones at the same time. Raises ChildFailed; call `stop` after that too."""
        try:
            async with asyncio.TaskGroup() as group:
                for process in self._processes:
                    group.create_task(self._start_in_turn(process))
        except* (ChildFailed, OSError) as failures:
            # The first is the reason: it made the group give up the others.
            raise ChildFailed(str(failures.exceptions[0])) from failures

    async def _start_in_turn(self, process: Process) -> None:
        for need in process.needs:
            await self._ready[need].wait()
        await self._start(process)
        self._ready[process.name].set()

    async def _start(self, process: Process) -> None:
        program = await asyncio.to_thread(process.program)
        child = Child(program, self._logs / f"{process.name}.log", self._inherit)
        self._children[process.name] = child
        await child.start()
        try:
            if process.once_ready is not None:
                await process.once_ready()
        except BaseException:
            await child.stop()
            raise

    async def _keep(self, process: Process) -> None:
        """Start it again whenever it ends, after a pause that doubles while it keeps failing."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while True:
            started = clock()
            code = await self._children[process.name].wait()
            if clock() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._say(
                f"{process.name} ended {describe_exit(code)}; its log is {self._children[process.name].log}. "
                f"Starting it again in {pause:g} s."
            )
            pause = await self._restart(process, pause)

    async def _restart(self, process: Process, pause: float) -> float:
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self._start(process)
            except (ChildFailed, OSError) as error:
                self._say(f"{error}\nTrying again in {pause:g} s.")
            else:
                self._say(f"{process.name} runs again.")
                return pause

    async def keep(self) -> None:
        """Start again what dies, for ever. `start` has to be through."""
        async with asyncio.TaskGroup() as group:
            for process in self._processes:
                group.create_task(self._keep(process))

    async def stop(self) -> bool:
        """Stop all, the last started first. True when each of them stopped by itself, as it was asked to."""
        clean = True
        for process in reversed(self._processes):
            child = self._children.get(process.name)
            if child is not None and not await child.stop():
                clean = False
                self._say(f"{process.name} did not stop within its time and was killed.")
        return clean

    def kill(self) -> None:
        """End all at once, for who cannot wait."""
        for child in self._children.values():
            child.kill()
