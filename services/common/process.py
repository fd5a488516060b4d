"""The life of a service process: configuration, logs, run until told to stop, an honest exit code."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
import structlog
import uvloop

from services.common import log as logs
from services.common import metrics, tls, tracing
from services.common.addresses import Listen, parse_listen
from services.common.config import ConfigError, load
from services.common.errors import CannotStart

T = TypeVar("T", bound=msgspec.Struct)

log = structlog.get_logger()


def run_service(
    name: str,
    config_type: type[T],
    serve: Callable[[T, asyncio.Event], Awaitable[None]],
    parsers: Mapping[type, Callable[[str], object]] | None = None,
) -> None:
    """Reads the configuration and runs `serve` until SIGTERM or SIGINT sets its event.

    Exits with 2 and one sentence for each problem when the configuration is not usable, with 1 when it broke.
    """
    config, metrics_listen = _configured(name, config_type, parsers)
    tracing.configure(name)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if metrics_listen:
            log.info("metrics", port=metrics.offer(metrics_listen))
        gc.freeze()  # what was imported lives as long as the process: no need to walk it at every collection
        await serve(config, stop)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    except CannotStart as error:
        log.error("cannot start", error=str(error))  # noqa: TRY400  # the sentence says it all
        sys.exit(1)
    except Exception as error:
        log.exception("stopped by an error", error=str(error))
        sys.exit(1)
    log.info("stopped")


def _configured(
    name: str, config_type: type[T], parsers: Mapping[type, Callable[[str], object]] | None
) -> tuple[T, Listen | None]:
    """The service's own configuration, and where its metrics are offered."""
    level = os.environ.get("LOG_LEVEL", "").strip().upper() or "INFO"
    known = level in logs.LEVELS
    logs.configure(name, level if known else "INFO")
    problems = tls.problems(os.environ)
    if not known:
        problems.append(f"LOG_LEVEL is not usable: it must be one of {', '.join(logs.LEVELS)}.")
    metrics_listen = None
    try:
        if told := os.environ.get("METRICS_LISTEN", "").strip():
            metrics_listen = parse_listen(told)
    except ValueError as error:
        problems.append(f"METRICS_LISTEN is not usable: {error}.")
    try:
        config = load(config_type, os.environ, parsers)
        if problems:
            raise ConfigError(problems)
    except ConfigError as error:
        for problem in dict.fromkeys([*error.problems, *problems]):
            print(f"{name}: {problem}", file=sys.stderr)
        sys.exit(2)
    return config, metrics_listen
