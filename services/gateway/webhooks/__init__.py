"""Where providers deliver their events."""
