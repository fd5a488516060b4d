"""The dashboard: pages on the server, partials for what changes, no business rule."""
