"""The form in which a file of key-encryption keys is written. integrations reads it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.cli.private_files import write_private
from services.common.secret import Secret

_HEADER: Final = """\
# The keys that seal the operators' credentials: the first seals, all open. Keep a copy apart from the database.
"""


def write_key_file(path: Path, entries: Mapping[str, Secret], like: os.stat_result | None = None) -> None:
    """Ours alone, or as `like` says whose it is to be."""
    lines = [f"{key_id}={encoded.reveal()}\n" for key_id, encoded in entries.items()]
    write_private(path, _HEADER + "".join(lines), like)
