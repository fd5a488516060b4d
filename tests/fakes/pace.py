"""No pace: every call's turn is now."""

from services.integrations.connection_values import Link


class NoPace:
    """See ports.Pace."""

    async def wait(self, link: Link, operation: str, patience: float) -> None: ...

    async def wait_idle(self, link: Link, operation: str, yielding: float, patience: float) -> None: ...

    async def hold(self, link: Link, operation: str | None, seconds: float) -> None: ...
