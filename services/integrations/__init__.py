"""The integrations service: connections to payment providers, their sealed keys, and every call to a provider."""
