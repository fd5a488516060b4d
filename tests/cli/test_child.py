"""One child on its leash: real processes, made of a line of Python each."""

import os
import signal
import sys
from pathlib import Path

import pytest

from services.cli.child import Child, ChildFailed, Program
from tests.cli.processes_seen import is_running
from tests.waiting import eventually


def program(code: str, ready_file: Path, **options: object) -> Program:
    async def ready(_pid: int) -> bool:
        return os.path.exists(ready_file)  # noqa: ASYNC240, PTH110 - instant

    return Program("small", (sys.executable, "-c", code), ready, environment=os.environ, **options)  # type: ignore[arg-type]  # passed through


WAITS = "import pathlib, sys, time; pathlib.Path({path!r}).write_text(str({value})); time.sleep(600)"


def waiting(path: Path, value: str = "1", before: str = "") -> str:
    return before + WAITS.format(path=str(path), value=value)


async def test_start_returns_once_the_child_is_ready(tmp_path: Path) -> None:
    child = Child(program(waiting(tmp_path / "ready"), tmp_path / "ready"), tmp_path / "log")
    await child.start()
    assert (tmp_path / "ready").exists()
    assert is_running(child.pid)
    assert await child.stop()
    assert not is_running(child.pid)


async def test_child_that_ends_early_is_quoted(tmp_path: Path) -> None:
    child = Child(program("raise SystemExit('no such luck')", tmp_path / "never"), tmp_path / "log")
    with pytest.raises(ChildFailed, match=r"(?s)small ended with exit code 1\. .*no such luck"):
        await child.start()


async def test_child_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    child = Child(program(waiting(tmp_path / "up"), tmp_path / "never", start_seconds=0.5), tmp_path / "log")
    with pytest.raises(ChildFailed, match=r"small was not ready after 0\.5 s"):
        await child.start()
    assert not is_running(child.pid)


async def test_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    code = waiting(tmp_path / "ready", before=deaf)
    child = Child(program(code, tmp_path / "ready", stop_seconds=0.2), tmp_path / "log")
    await child.start()
    assert not await child.stop()
    assert child.exit_code == -signal.SIGKILL


async def test_grandchildren_go_with_their_child(tmp_path: Path) -> None:
    before = "import subprocess; p = subprocess.Popen(['sleep', '600']);"
    child = Child(program(waiting(tmp_path / "ready", "p.pid", before), tmp_path / "ready"), tmp_path / "log")
    await child.start()
    grandchild = await eventually(lambda: int((tmp_path / "ready").read_text() or 0))
    await child.stop()
    await eventually(lambda: not is_running(grandchild))


async def test_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The parent here is a supervisor in small: a process that starts one child and waits."""
    parent = f"""
import asyncio, os, pathlib, sys
from services.cli.child import Child, Program
async def main():
    async def ready(pid): return True
    program = Program("small", ("sleep", "600"), ready, environment=os.environ)
    child = Child(program, pathlib.Path({str(tmp_path / "inner")!r}))
    await child.start()
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    child = Child(program(parent, tmp_path / "pid"), tmp_path / "log")
    await child.start()
    inner = await eventually(lambda: int((tmp_path / "pid").read_text() or 0))
    assert is_running(inner)
    os.kill(child.pid, signal.SIGKILL)
    await eventually(lambda: not is_running(inner))
    await child.stop()


async def test_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = Program(
        "small", ("no-such-program",), ready=program("", tmp_path / "never").ready, environment=os.environ
    )
    with pytest.raises(ChildFailed, match="cannot run no-such-program"):
        await Child(missing, tmp_path / "log").start()
