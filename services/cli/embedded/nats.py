"""A NATS server with JetStream out of its Python package, run from a folder, on loopback, with a password."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from pathlib import Path
from signal import SIGTERM

from services.cli.child import ChildFailed, Program
from services.cli.private_files import write_private

USER = "showbill"


class Nats:
    """A server that keeps its streams in `folder`. Only who knows `password` may connect.

    The password is made of letters, digits, - and _, since the client does not unquote what it finds in a URL.
    """

    def __init__(self, folder: Path, port: int, password: str) -> None:
        self.folder = folder
        self.port = port
        self._password = password

    @property
    def url(self) -> str:
        return f"nats://{USER}:{self._password}@127.0.0.1:{self.port}"

    def prepare(self) -> Program:
        """Write the configuration and say how to run it. Blocking, but instant."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.folder / "nats.conf"
        # In a file and not in the arguments: every user of the machine may read those.
        write_private(config, self._configuration())
        return Program(
            name="nats",
            argv=(_server(), "--config", str(config)),
            ready=self._ready,
            environment={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)},
            stop_signal=SIGTERM,
            death_signal=SIGTERM,
        )

    def _configuration(self) -> str:
        def text(value: str) -> str:
            return json.dumps(value, ensure_ascii=False)  # a JSON string is a string of this format

        return (
            f"server_name: {USER}\n"
            f"listen: {text(f'127.0.0.1:{self.port}')}\n"
            # A second of events at most is lost with the power; Postgres holds the truth in any case.
            f"jetstream {{ store_dir: {text(str(self.folder))}, sync_interval: 1s }}\n"
            f"authorization {{ user: {USER}, password: {text(self._password)} }}\n"
        )

    async def _ready(self, _pid: int) -> bool:
        """JetStream is up before the first connection is greeted, so a greeting that names it is enough."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        with contextlib.closing(writer):
            try:
                greeting = await asyncio.wait_for(reader.readline(), 1)
            except (TimeoutError, OSError):
                return False
        return greeting.startswith(b"INFO ") and json.loads(greeting[5:]).get("jetstream") is True


def _server() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise ChildFailed("nats-server is not installed. Install the project's dependencies again: ./run up does it.")
    return found
