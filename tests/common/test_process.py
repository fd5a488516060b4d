"""The life of a service process, as a real process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio
import msgspec
from services.common.errors import CannotStart
from services.common.process import run_service

class Config(msgspec.Struct, frozen=True, kw_only=True):
    database_url: str
    workers: int = 1

async def serve(config, stop):
    if config.database_url == "broken":
        raise CannotStart("The database is broken. Mend it.")
    print("serving", flush=True)
    await stop.wait()
    print("finished", flush=True)

run_service("small", Config, serve)
"""


def run(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": os.defpath, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_all_problems_of_the_environment_are_told_at_once(tmp_path: Path) -> None:
    process = run(WORKERS="many", LOG_LEVEL="loud", TLS_CERT=str(tmp_path / "none.pem"))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    told = ["DATABASE_URL", "WORKERS", "TLS_CERT", "TLS_CERT", "LOG_LEVEL"]
    assert [line.removeprefix("small: ").split()[0] for line in errors.splitlines()] == told
    assert all(line.endswith(".") for line in errors.splitlines())


@pytest.mark.parametrize("level", ["", "debug", "WARNING"])
def test_a_log_level_may_be_empty_or_small(level: str) -> None:
    process = run(DATABASE_URL="x", LOG_LEVEL=level)
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_service_finish(number: signal.Signals) -> None:
    process = run(DATABASE_URL="x")
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(number)
    rest, _ = process.communicate(timeout=30)
    assert (rest, process.returncode) == ("finished\n", 0)


def test_a_service_that_cannot_start_says_why_without_traceback() -> None:
    process = run(DATABASE_URL="broken")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The database is broken. Mend it." in errors
    assert "Traceback" not in errors
