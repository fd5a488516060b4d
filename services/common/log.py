"""Structured logs: one JSON object a line on stderr, with the request id, with secrets blanked by their shape."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from services.common.secret import Secret, redact

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, dict):
        return {key if isinstance(key, int | None) else redact(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _clean(value) for key, value in event.items()}


def _guard_what_nobody_caught() -> None:
    """Python prints tracebacks of its own where nobody catches an error: these too become a log line."""
    log = structlog.get_logger()

    def uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            log.info("interrupted")
        else:
            log.critical("stopped by an error that nobody caught", exc_info=(kind, error, trace))

    def unraisable(found: "sys.UnraisableHookArgs") -> None:
        words = found.err_msg or "an error nobody could raise"
        log.error(words, exc_info=(found.exc_type, found.exc_value, found.exc_traceback))

    sys.excepthook = uncaught
    sys.unraisablehook = unraisable
    threading.excepthook = lambda found: uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def configure(service: str, level: str = "INFO") -> None:
    """Sets up structlog and the standard library's logging alike, at one of LEVELS; call once, at the start."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.CallsiteParameterAdder() if level == "DEBUG" else lambda _l, _m, event: event,
        structlog.processors.format_exc_info,
        lambda _l, _m, event: {"service": service, **event},
        _redact_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    _guard_what_nobody_caught()
    logging.captureWarnings(True)
    # At INFO and below these print request data: addresses, e-mails, form bodies.
    for name in ("stripe", "aiohttp.access", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
