"""Where the key-encryption keys are: in the state folder of `up`, or where a deployment's environment says."""

import json
from collections.abc import Mapping
from pathlib import Path

from services.cli.complaint import Complaint
from services.cli.embedded.postgres import Postgres
from services.cli.state import DEFAULT, StateFolder

_PORT_LINE = 3
"""Of postmaster.pid."""


def keys_environment(state: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which integrations finds its database and keys: those of the state folder that is named, else of
    the deployment of the environment, else of the usual state folder. Raises Complaint."""
    if state is None and environment.get("DATABASE_URL", "").strip():
        return dict(environment)
    return {**environment, "CREDENTIAL_KEYS": "", **_of_state(StateFolder(state or Path(DEFAULT)))}


def _of_state(folder: StateFolder) -> dict[str, str]:
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
    return {"DATABASE_URL": url, "CREDENTIAL_KEYS_FILE": str(folder.keyring)}
