"""What of the logs reaches the terminal."""

import asyncio
import json
from pathlib import Path

import pytest

from services.cli import log_watch
from services.cli.log_lines import plain, serious
from services.cli.log_watch import LogWatch
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"level": "info", "event": "listening"}', None),
        ('{"level": "warning", "event": "NATS is away"}', "warning: NATS is away"),
        ('{"level": "error", "event": "stopped", "error": "no disk"}', "error: stopped: no disk"),
        ("2026-11-23 19:22:33.444 UTC [3744] LOG:  starting PostgreSQL", None),
        ("2026-11-23 19:22:33.444 UTC [3744] FATAL:  no space left", "no space left"),
        ("[3759] 2026/11/23 19:22:33.624768 [INF] Starting", None),
        ("[3759] 2026/11/23 19:22:33.624768 [ERR] Address in use", "Address in use"),
        ("{ not json", None),
    ],
)
def test_only_serious_lines_reach_the_terminal(line: str, expected: str | None) -> None:
    assert serious(line) == expected


def test_last_words_are_told_without_their_traceback() -> None:
    line = '{"level": "error", "event": "stopped by an error", "error": "no disk", "exception": "Traceback ..."}'
    assert plain(line) == "error: stopped by an error: no disk"
    assert plain("gateway: DATABASE_URL is not set.") == "gateway: DATABASE_URL is not set."


async def test_what_is_appended_is_said_once(tmp_path: Path) -> None:
    log = tmp_path / "invoicing.log"
    log.write_text(warning("of the last run"))
    said: list[str] = []
    watching = asyncio.create_task(LogWatch(tmp_path, ["invoicing", "gateway"], said.append).run())
    with log.open("a") as file:
        file.write(warning("first") * 2 + warning("second")[:10])
    await eventually(lambda: said == ["invoicing: warning: first"])
    with log.open("a") as file:
        file.write(warning("second")[10:])
    await eventually(lambda: said == ["invoicing: warning: first", "invoicing: warning: second"])
    watching.cancel()


async def test_large_log_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_watch, "LARGEST", 100)
    log, said = tmp_path / "nats.log", list[str]()
    watching = asyncio.create_task(LogWatch(tmp_path, ["nats"], said.append).run())
    with log.open("a") as file:
        file.write(warning("x" * 200))
    await eventually(lambda: log.stat().st_size == 0)
    assert "xxx" in (tmp_path / "nats.log.1").read_text()
    with log.open("a") as file:
        file.write(warning("after"))
    await eventually(lambda: said[-1:] == ["nats: warning: after"])
    watching.cancel()


def warning(event: str) -> str:
    return json.dumps({"level": "warning", "event": event}) + "\n"
