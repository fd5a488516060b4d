"""While a plan of ten thousands is computed, the process answers whoever else asks."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from services.invoicing import events, generate, ledger, render
from tests.invoicing.caller import Caller
from tests.invoicing.fake_provider import FakeProvider, Refused
from tests.slow_step import Slow, slowed
from tests.waiting import eventually


@pytest.mark.parametrize("module", [generate, render], ids=["computed", "written"])
async def test_others_are_answered_while_a_plan_is(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    slow = slowed(monkeypatch, module, "plan")
    show_id = await caller.small_show(2)
    await holds_up_nobody(caller, slow, show_id, caller.plan(show_id))


async def test_others_are_answered_while_a_run_is_planned(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    show_id = await caller.small_show(2)
    slow = slowed(monkeypatch, generate, "plan")
    await holds_up_nobody(caller, slow, show_id, caller.generate(show_id))
    assert len(await caller.listed(show_id)) == 2


async def test_others_are_answered_while_a_retry_is_planned(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.failures = {"u1": [Refused()]}
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    slow = slowed(monkeypatch, generate, "plan")
    await holds_up_nobody(caller, slow, show_id, caller.retry(show_id))


@pytest.mark.parametrize("step", ["invoice_updated", "message"])
async def test_others_are_answered_while_many_events_are_written(
    caller: Caller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    provider.failures = {"u1": [Refused()]}
    show_id = await caller.small_show(2)
    await caller.generate(show_id)
    monkeypatch.setattr(ledger, "MANY", 0)
    slow = slowed(monkeypatch, events, step)
    await holds_up_nobody(caller, slow, show_id, caller.retry(show_id))


async def holds_up_nobody(caller: Caller, slow: Slow, show_id: str, call: Any) -> None:
    asked = asyncio.ensure_future(call)
    await eventually(slow.begun.is_set)
    await caller.summary(show_id)
    slow.answered.set()
    await asked
