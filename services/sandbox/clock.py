"""The sandbox's own time, which the control address can move forward."""

import time


class Clock:
    """Unix time in seconds. Timestamps on objects follow it; signatures carry the real time."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> int:
        return int(time.time() + self.offset)

    def advance(self, seconds: float) -> None:
        self.offset += seconds
