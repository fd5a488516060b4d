"""`python -m services.sandbox`: runs the sandbox until it is told to stop."""

import asyncio
import signal
import sys

import uvloop
from aiohttp import web

from services.sandbox import config, log
from services.sandbox.app import make_app
from services.sandbox.database import FolderInUse
from services.sandbox.sandbox import Sandbox

_SHUTDOWN_SECONDS = 3.0


async def serve(settings: config.Config) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    sandbox = Sandbox(settings)
    runner = web.AppRunner(make_app(sandbox), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
    host, port = runner.addresses[0][:2]
    settings.public_url = settings.public_url or f"http://{host}:{port}"
    log.line("listening", url=f"http://{host}:{port}", public_url=settings.public_url)
    await stopping.wait()
    log.line("stopping")
    sandbox.faults.clear()
    await runner.cleanup()


def main() -> int:
    try:
        settings = config.load()
        log.show_requests(settings.log_requests)
        uvloop.run(serve(settings))
    except (config.ConfigError, FolderInUse) as error:
        log.line("refused to start", reason=str(error))
        return 2
    except OSError as error:
        log.line("refused to start", reason=f"The address cannot be used: {error.strerror or error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
