"""Traces, by OpenTelemetry: a span for each request, call between services and call to a provider.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT names a collector; then the SDK's own variables (OTEL_*) say the rest. What
leaves the process is blanked by the shape of secrets, names and values alike.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog
from opentelemetry import propagate, trace
from opentelemetry.trace import Span as Span
from opentelemetry.trace import SpanKind, Status, StatusCode

from services.common.secret import redact

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACER: trace.Tracer | None = None
"""None while no collector is named."""
_FINE: Final = Status(StatusCode.OK)
_NOWHERE: Final = trace.INVALID_SPAN
"""Stands for every step while nobody collects them: building one for nothing costs each request and call."""
INTERNAL, CLIENT, SERVER = SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.SERVER


def configure(service: str) -> None:
    """Sends the spans of this process to the collector that the environment names; without one, does nothing."""
    if not os.environ.get(ENDPOINT, "").strip():
        return
    # Imported here alone: it costs a tenth of a second, which a process without a collector need not wait for.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"showbill-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(blanking(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)  # its shutdown at the end of the process sends what is left
    global _TRACER  # once, at the start of the process
    _TRACER = provider.get_tracer("showbill")


@contextmanager
def span(
    name: str, kind: SpanKind = INTERNAL, carrier: Mapping[str, str] | None = None, **attributes: str | int
) -> Iterator[Span]:
    """One step, under the trace that `carrier` (headers, metadata) names, else under the step around it.

    An exception marks it as failed by its type alone: messages may quote what somebody typed.
    """
    if _TRACER is None:
        yield _NOWHERE
        return
    parent = propagate.extract(carrier) if carrier is not None else None
    with _TRACER.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as step:
        if kind is SERVER and step.is_recording():
            structlog.contextvars.bind_contextvars(trace_id=format(step.get_span_context().trace_id, "032x"))
        try:
            yield step
        except Exception as error:
            if getattr(step, "status", _FINE).is_unset:
                failed(step, type(error).__name__)
            raise


@contextmanager
def stream_span(name: str, carrier: Mapping[str, str]) -> Iterator[Span]:
    """A served stream. Not the step around what it does: a generator may be closed from another task's context."""
    if _TRACER is None:
        yield _NOWHERE
        return
    step = _TRACER.start_span(name, propagate.extract(carrier), SERVER)
    try:
        yield step
    finally:
        step.end()


def failed(step: Span, why: str) -> None:
    """Marks a step that answered with a failure instead of raising one."""
    step.set_status(Status(StatusCode.ERROR, why))


def carry(carrier: MutableMapping[str, str]) -> None:
    """Writes into headers or metadata which trace goes on there."""
    if _TRACER is not None:
        propagate.inject(carrier)


def blanking(exporter: "SpanExporter") -> "SpanExporter":
    """An exporter that passes on spans in which nothing has the shape of a secret."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    def blanked(told: "ReadableSpan") -> ReadableSpan:
        return ReadableSpan(
            name=redact(told.name),
            context=told.context,
            parent=told.parent,
            resource=told.resource,
            attributes=_blank(told.attributes),
            events=[Event(redact(event.name), _blank(event.attributes), event.timestamp) for event in told.events],
            links=told.links,
            kind=told.kind,
            status=Status(told.status.status_code, redact(told.status.description or "") or None),
            start_time=told.start_time,
            end_time=told.end_time,
            instrumentation_scope=told.instrumentation_scope,
        )

    class Blanking(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([blanked(told) for told in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Blanking()


def _blank(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {redact(name): _blank_value(value) for name, value in (attributes or {}).items()}


def _blank_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    return [_blank_value(one) for one in value] if isinstance(value, list | tuple) else value
