"""The keys of an installation as `keys` changes them: the file or the variable that integrations reads them from."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.common.database_url import DatabaseUrl, parse_database_url
from services.common.secret import Secret
from services.integrations.keyring import read_entries

_HEADER: Final = """\
# The keys that seal the operators' credentials: the first seals, all open. Keep a copy apart from the database.
"""


class Complaint(Exception):
    """Something that the person at the terminal can put right. The message is a sentence that says how."""


@dataclass(frozen=True)
class Place:
    """The database and the keys of one installation."""

    database_url: DatabaseUrl
    file: Path | None
    """None when the keys are in CREDENTIAL_KEYS."""
    text: Secret = field(default_factory=lambda: Secret(""))
    """What CREDENTIAL_KEYS says, where there is no file."""

    @property
    def name(self) -> str:
        """As the person at the terminal knows it."""
        return str(self.file or "CREDENTIAL_KEYS")

    def entries(self) -> dict[str, Secret]:
        """The keys as they are now, the current one first. Raises Complaint."""
        try:
            return read_entries(self.text.reveal() if self.file is None else self.file.read_text())
        except OSError as error:
            raise Complaint(f"The file of keys {self.file} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            why = "it is no text" if isinstance(error, UnicodeError) else str(error)
            raise Complaint(f"{self.name} is not usable: {why}.") from None

    def put(self, entries: Mapping[str, Secret]) -> None:
        """Writes the file anew, whole or not at all, readable by whom it was. Raises Complaint."""
        assert self.file is not None, "the environment cannot be written"
        path = self.file.resolve()
        try:
            write_key_file(path, entries, path.stat())
        except OSError as error:
            raise Complaint(
                f"The file of keys {self.file} cannot be written here: {error.strerror}. Change it where it comes from,"
                " then give this command again: it goes on from there."
            ) from error


def write_key_file(path: Path, entries: Mapping[str, Secret], like: os.stat_result) -> None:
    """Whole or not at all; with the owner and the rights of `like`."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(_HEADER + "".join(f"{key_id}={encoded.reveal()}\n" for key_id, encoded in entries.items()))
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), like.st_mode & 0o777)
        with contextlib.suppress(PermissionError):  # only root gives files away
            os.fchown(file.fileno(), like.st_uid, like.st_gid)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # without it a power cut may bring the older file back, when its key is retired already
    finally:
        os.close(folder)


def place_of(environment: Mapping[str, str]) -> Place:
    """The installation that the variables of integrations name. Raises Complaint."""
    names = ("DATABASE_URL", "CREDENTIAL_KEYS_FILE", "CREDENTIAL_KEYS")
    url, file, text = (environment.get(name, "").strip() for name in names)
    if not url:
        raise Complaint("DATABASE_URL is not set. Give it as the integrations service has it.")
    if bool(file) == bool(text):
        raise Complaint("Set one of CREDENTIAL_KEYS_FILE and CREDENTIAL_KEYS, as the integrations service has it.")
    try:
        address = parse_database_url(url)
    except ValueError as error:
        raise Complaint(f"DATABASE_URL is not usable: {error}.") from None
    return Place(address, Path(file).expanduser() if file else None, Secret(text))
