"""Follows the logs of the children: what is serious comes to the terminal, and no file grows without end."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from services.cli.log_lines import serious

POLL_SECONDS = 0.3
QUIET_SECONDS = 30.0
"""For this long the same complaint is not repeated."""
LARGEST = 50_000_000
"""Bytes after which a log is moved to <name>.1, replacing the one before."""


class LogWatch:
    """Reads what is appended to `<folder>/<name>.log` from now on."""

    def __init__(self, folder: Path, names: Iterable[str], say: Callable[[str], None]) -> None:
        self._files = {name: folder / f"{name}.log" for name in names}
        self._read = {name: _size(path) for name, path in self._files.items()}
        self._rest = dict.fromkeys(self._files, b"")
        self._said: dict[tuple[str, str], float] = {}
        self._say = say

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            for name, path in self._files.items():
                self._follow(name, path)
            await asyncio.sleep(POLL_SECONDS)

    def _follow(self, name: str, path: Path) -> None:
        size = _size(path)
        if size <= self._read[name]:
            return
        with path.open("rb") as file:
            file.seek(self._read[name])
            text = self._rest[name] + file.read()
            self._read[name] = file.tell()
        *lines, self._rest[name] = text.split(b"\n")
        for line in lines:
            if (words := serious(line.decode(errors="replace"))) is not None:
                self._complain(name, words)
        if size > LARGEST:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            with path.open("r+b") as file:
                file.truncate()  # the child appends: it goes on at the new end
            self._read[name] = 0

    def _complain(self, name: str, words: str) -> None:
        now = time.monotonic()
        if now - self._said.get((name, words), -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[name, words] = now
            self._say(f"{name}: {words}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
