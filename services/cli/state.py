"""The state folder: everything that `showbill up` keeps, and the lock that lets one copy at a time use it."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from services.cli.complaint import Complaint

DEFAULT = ".showbill"
VARIABLE = "SHOWBILL_STATE"
LINGER_SECONDS = 30


class StateFolder:
    """Paths inside the folder. Nobody else on the machine may enter it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.postgres = self.path / "postgres"
        self.nats = self.path / "nats"
        self.sandbox = self.path / "sandbox"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets.json"
        self.keyring = self.path / "credential.keys"
        self.demo = self.path / "demo.env"
        self._lock = self.path / "lock"

    def make(self) -> None:
        """Create what is missing. Raises Complaint when that is not allowed here."""
        try:
            for folder in (self.path, self.postgres, self.nats, self.sandbox, self.logs):
                folder.mkdir(parents=folder == self.path, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Complaint(
                f"The state folder {self.path} cannot be made: {error.strerror}. "
                f"Name another one with --state or {VARIABLE}."
            ) from error

    @contextlib.contextmanager
    def locked(self, say: Callable[[str], None]) -> Iterator[int]:
        """Hold the folder for the length of a block; gives the descriptor of the lock.

        The servers inherit it, so the folder stays locked until the last of them has gone, whatever became of us.
        Raises Complaint when another copy has it.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take(descriptor, say)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int, say: Callable[[str], None]) -> None:
        deadline = time.monotonic() + LINGER_SECONDS
        said = False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            holder = os.pread(descriptor, 20, 0).decode().strip()
            if holder and _alive(int(holder)):
                raise Complaint(
                    f"Showbill already runs on {self.path}, as process {holder}. "
                    "Stop that one first (Ctrl-C in its terminal), or start this one on another folder with --state."
                )
            if time.monotonic() > deadline:
                raise Complaint(
                    f"Servers of an earlier run still use {self.path}, though the supervisor that started them is "
                    "gone. End them, then start again."
                )
            if not said:
                said = True
                say("Waiting for the servers of the last run to end.")
            time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
