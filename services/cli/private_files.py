"""Files that hold secrets: readable by their owner alone from the moment they exist."""

import contextlib
import os
from pathlib import Path


def write_private(path: Path, text: str, like: os.stat_result | None = None) -> None:
    """Write the file anew, whole or not at all; with the owner and the rights of `like`, where that is given."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        if like is not None:
            os.fchmod(file.fileno(), like.st_mode & 0o777)
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
    fresh.replace(path)


def append_private(path: Path) -> int:
    """A descriptor that appends to the file."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
