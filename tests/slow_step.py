"""A step of some program that goes on for as long as a test wants: what it holds up meanwhile can be seen."""

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


class Slow:
    """A step that takes until somebody else was answered."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self.begun = threading.Event()
        self.answered = threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.begun.set()
        assert self.answered.wait(20), "nobody was answered meanwhile"
        return self._step(*args)


def slowed(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> Slow:
    slow = Slow(getattr(module, name))
    monkeypatch.setattr(module, name, slow)
    return slow
