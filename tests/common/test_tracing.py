"""Traces: one id through a call between services, and nothing in them that has the shape of a secret."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from services.common import tracing

KEY = "sk_live_51planted0planted0planted0"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What a collector would be sent."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(tracing.blanking(exporter)))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def test_a_secret_is_blanked_in_every_part_of_a_span(sent: InMemorySpanExporter) -> None:
    with tracing.span(f"call {KEY}", tracing.CLIENT, place=f"key {KEY}") as step:
        step.add_event(f"saw {KEY}", {"value": KEY, "list": [KEY, "fine"], "count": 3})
        tracing.failed(step, f"refused {KEY}")
    (told,) = sent.get_finished_spans()
    assert KEY not in told.to_json()
    assert told.to_json().count("sk_live_***") == 6
    assert told.events[0].attributes == {"value": "sk_live_***", "list": ["sk_live_***", "fine"], "count": 3}


def test_an_exception_marks_the_step_by_its_type_alone(sent: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="buyer"), tracing.span("work"):
        raise ValueError("buyer@example.com is not known")
    (told,) = sent.get_finished_spans()
    assert told.status.status_code is StatusCode.ERROR
    assert "buyer@example.com" not in told.to_json()
    assert told.status.description == "ValueError"


def test_a_trace_goes_on_behind_what_carries_it(sent: InMemorySpanExporter) -> None:
    carrier: dict[str, str] = {}
    with tracing.span("asks", tracing.CLIENT):
        tracing.carry(carrier)
    with tracing.span("answers", tracing.SERVER, carrier):
        pass
    asks, answers = sent.get_finished_spans()
    assert answers.context.trace_id == asks.context.trace_id
    assert answers.parent is not None
    assert answers.parent.span_id == asks.context.span_id


async def test_a_stream_closed_from_elsewhere_ends_its_step(sent: InMemorySpanExporter) -> None:
    async def stream() -> AsyncGenerator[int]:
        with tracing.stream_span("watch", {}):
            yield 1
            yield 2

    one = stream()
    assert await anext(one) == 1
    await asyncio.create_task(one.aclose())
    assert [told.name for told in sent.get_finished_spans()] == ["watch"]


def test_without_a_collector_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracing.ENDPOINT, raising=False)
    before = trace.get_tracer_provider()
    tracing.configure("gateway")
    assert trace.get_tracer_provider() is before
