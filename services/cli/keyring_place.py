"""Where the key-encryption keys are: in the state folder of `up`, or where a deployment's environment says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.complaint import Complaint
from services.cli.embedded.postgres import Postgres
from services.cli.key_file import write_key_file
from services.cli.state import DEFAULT, StateFolder
from services.common.secret import Secret
from services.integrations.keyring import read_entries

_PORT_LINE = 3
"""Of postmaster.pid."""


@dataclass(frozen=True)
class Place:
    """The database and the keys of one installation."""

    database_url: Secret
    file: Path | None
    """None when the keys are in CREDENTIAL_KEYS."""
    text: Secret = field(default_factory=lambda: Secret(""))
    """What CREDENTIAL_KEYS says, where there is no file."""

    def entries(self) -> dict[str, Secret]:
        """The keys as they are now, the current one first. Raises Complaint."""
        try:
            return read_entries(self.text.reveal() if self.file is None else self.file.read_text())
        except OSError as error:
            raise Complaint(f"The file of keys {self.file} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            why = "it is no text" if isinstance(error, UnicodeError) else str(error)
            raise Complaint(f"{self.file or 'CREDENTIAL_KEYS'} is not usable: {why}.") from None

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


def find_place(state: Path | None, environment: Mapping[str, str]) -> Place:
    """The state folder that is named, else the deployment of the environment, else the usual state folder.

    Raises Complaint.
    """
    url = environment.get("DATABASE_URL", "").strip()
    if state is not None or not url:
        return _of_state(StateFolder(state or Path(DEFAULT)))
    file, text = (environment.get(name, "").strip() for name in ("CREDENTIAL_KEYS_FILE", "CREDENTIAL_KEYS"))
    if bool(file) == bool(text):
        raise Complaint("Set one of CREDENTIAL_KEYS_FILE and CREDENTIAL_KEYS, as the integrations service has it.")
    return Place(Secret(url), Path(file).expanduser() if file else None, Secret(text))


def _of_state(folder: StateFolder) -> Place:
    if not folder.secrets.exists() or not folder.keyring.exists():
        raise Complaint(
            f"There are no keys in {folder.path}. Name the folder of a running Showbill with --state, or set"
            " DATABASE_URL and CREDENTIAL_KEYS_FILE as its integrations service has them."
        )
    try:
        port = int((folder.postgres / "data" / "postmaster.pid").read_text().splitlines()[_PORT_LINE])
    except (OSError, ValueError, IndexError) as error:
        raise Complaint(
            f"Showbill does not run on {folder.path}. Start it with `showbill up`, then try again in another terminal."
        ) from error
    secrets: dict[str, str] = json.loads(folder.secrets.read_text())
    postgres = Postgres(folder.postgres, port, secrets["postgres_password"])
    url = postgres.url("integrations", "integrations", secrets["integrations_database_password"])
    return Place(Secret(url), folder.keyring)
