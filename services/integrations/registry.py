"""Which adapter speaks to which provider."""

from collections.abc import Iterable

from services.integrations.failures import AdapterError, Failure
from services.integrations.ports import IntegrationAdapter


class Registry:
    """The adapters of this process by provider."""

    def __init__(self, adapters: Iterable[IntegrationAdapter]) -> None:
        self._adapters = {adapter.provider: adapter for adapter in adapters}

    def adapter(self, provider: str) -> IntegrationAdapter:
        """Raises AdapterError PROVIDER_NOT_AVAILABLE for a provider without an adapter."""
        found = self._adapters.get(provider)
        if found is None:
            raise AdapterError(
                Failure.PROVIDER_NOT_AVAILABLE, "This provider cannot be connected yet. Choose one that is available."
            )
        return found

    def find(self, provider: str) -> IntegrationAdapter | None:
        """None for a provider without an adapter."""
        return self._adapters.get(provider)

    async def close(self) -> None:
        for adapter in self._adapters.values():
            await adapter.close()
