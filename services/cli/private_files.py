"""Files that hold secrets: readable by their owner alone from the moment they exist."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write the file anew, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def append_private(path: Path) -> int:
    """A descriptor that appends to the file."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
