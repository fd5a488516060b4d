"""One folder for each provider. Nothing outside a provider's folder knows its words."""
