"""Faults of delivery: chosen events come twice, late, out of order, or never."""

import asyncio
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from services.sandbox import ids
from services.sandbox.records import Event, Json
from services.sandbox.store import Dataset


class WebhookFaultRule(msgspec.Struct, forbid_unknown_fields=True):
    effect: Literal["duplicate", "drop", "delay", "hold", "reorder"]
    event: str = "*"
    """`invoice.paid`; * and ? match any."""
    times: int | None = 1
    """How often; null is always."""
    account: str | None = None
    copies: int = 1
    """Of a duplicate: how many more."""
    seconds: float = 5.0
    """Of a delay; of a reorder, the longest wait for the event that is to overtake."""


class WebhookFault:
    def __init__(self, rule: WebhookFaultRule) -> None:
        self.id = ids.short_id("wflt")
        self.rule = rule
        self.hits = 0
        self.events: list[str] = []
        self.released = asyncio.Event()

    def shown(self) -> Json:
        return {
            "id": self.id,
            "rule": msgspec.to_builtins(self.rule),
            "hits": self.hits,
            "events": self.events,
            "released": self.released.is_set(),
        }


class WebhookFaults:
    def __init__(self) -> None:
        self.active: dict[str, WebhookFault] = {}

    def add(self, rule: WebhookFaultRule) -> WebhookFault:
        fault = WebhookFault(rule)
        self.active[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        fault = self.active.pop(fault_id, None)
        if fault is not None:
            fault.released.set()
        return fault is not None

    def clear(self) -> None:
        for fault_id in list(self.active):
            self.remove(fault_id)

    def take(self, dataset: Dataset, event: Event) -> WebhookFault | None:
        """The first rule that matches, counted."""
        for fault in self.active.values():
            rule = fault.rule
            if (
                fnmatchcase(event.type, rule.event)
                and (rule.times is None or fault.hits < rule.times)
                and (rule.account is None or rule.account == dataset.account.id)
            ):
                fault.hits += 1
                fault.events.append(event.id)
                return fault
        return None
