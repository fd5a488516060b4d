"""One child process: started on a leash in its own session, watched until ready, stopped within a bound."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from services.cli.log_lines import plain
from services.cli.private_files import append_private

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.03
LAST_WORDS = 3


class ChildFailed(Exception):
    """A program did not come up; the message says how and shows its last words."""


@dataclass(frozen=True)
class Program:
    """What to run and how to tell that it is ready. `ready` is asked with the pid until it says yes."""

    name: str
    argv: tuple[str, ...]
    ready: Callable[[int], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    run_as: str = "self"
    """As whom, in the words of leash.py."""
    stop_signal: Signals = signal.SIGTERM
    force_signal: Signals = signal.SIGKILL
    death_signal: Signals = signal.SIGKILL
    """What the kernel sends when the supervisor itself was killed."""
    start_seconds: float = 30
    stop_seconds: float = 10


def leashed(argv: tuple[str, ...], run_as: str, death_signal: Signals) -> tuple[str, ...]:
    """The command line that runs `argv` so that it dies with this process."""
    prefix = (sys.executable, "-I", "-S", str(LEASH), str(int(death_signal)), str(os.getpid()), run_as)
    return prefix + argv


class Child:
    """A running program. Start it from the main thread: the leash is tied to the thread that forks."""

    def __init__(self, program: Program, log: Path, inherit: tuple[int, ...] = ()) -> None:
        """`inherit`: descriptors that it and its children keep open for as long as they live."""
        self.program = program
        self.log = log
        self._inherit = inherit
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0
        self._forced = False

    @property
    def pid(self) -> int:
        assert self._process is not None, "the child was not started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start and wait until ready. Raises ChildFailed, with nothing left running."""
        program = self.program
        with os.fdopen(append_private(self.log), "ab") as output:
            self._log_start = output.tell()
            self._process = await asyncio.create_subprocess_exec(
                *leashed(program.argv, program.run_as, program.death_signal),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(program.environment),
                cwd=program.cwd,
                pass_fds=self._inherit,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(program.start_seconds):
                await self._until_ready()
        except TimeoutError:
            await self.stop()
            raise ChildFailed(
                f"{program.name} was not ready after {program.start_seconds:g} s.{self._words()}"
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def _until_ready(self) -> None:
        while not await self.program.ready(self.pid):
            if self.exit_code is not None:
                raise ChildFailed(f"{self.program.name} ended {describe_exit(self.exit_code)}.{self._words()}")
            await asyncio.sleep(POLL_SECONDS)

    def _words(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = [line for line in log.read()[-20_000:].decode(errors="replace").splitlines() if line.strip()]
        words = "\n  ".join(plain(line) for line in lines[-LAST_WORDS:])
        return f" Its log, {self.log}, ends with:\n  {words}" if words else f" Its log, {self.log}, is empty."

    async def wait(self) -> int:
        """Wait for its end, whatever the reason, and leave nothing of its session behind."""
        assert self._process is not None, "the child was not started"
        code = await self._process.wait()
        self._signal_group(signal.SIGKILL)  # grandchildren, if it left any
        return code

    async def stop(self) -> bool:
        """Ask it to stop and insist after `stop_seconds`. True when asking was enough. Idempotent."""
        if self._process is None:
            return True
        for number in (self.program.stop_signal, self.program.force_signal, signal.SIGKILL):
            if self.exit_code is None:
                self._forced = self._forced or number != self.program.stop_signal
                await self._send(number)
        self._signal_group(signal.SIGKILL)
        return not self._forced

    async def _send(self, number: Signals) -> None:
        assert self._process is not None, "the child was not started"
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        # Nothing outlives SIGKILL, so that the last wait may take as long as it takes.
        bound = None if number == signal.SIGKILL else self.program.stop_seconds
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), bound)

    def kill(self) -> None:
        """End it now, without waiting. A `stop` under way returns soon after."""
        if self._process is not None and self.exit_code is None:
            self._forced = True
            self._signal_group(self.program.force_signal)

    def _signal_group(self, number: Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def describe_exit(code: int) -> str:
    """`with exit code 3` or `by SIGKILL`."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
