"""The first key-encryption key, in the form in which integrations reads its file of keys."""

from pathlib import Path

from services.cli.private_files import write_private


def write_key_file(path: Path, key_id: str, key: str) -> None:
    """`key` is the base64 of 32 bytes."""
    hint = "# Keep a copy of this apart from the database. Change it with `showbill keys`."
    write_private(path, f"{hint}\n{key_id}={key}\n")
