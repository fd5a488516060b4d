"""`showbill keys`: changes the keys that seal the operators' credentials. integrations does it, this says where."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, Parameter

from services.cli.complaint import Complaint
from services.cli.keyring_place import keys_environment
from services.cli.state import VARIABLE

app = App(name="keys", help="Change the keys that seal the operators' credentials, while everything runs.")

State = Annotated[Path | None, Parameter(env_var=VARIABLE)]
"""Folder of a running `showbill up`. Without it DATABASE_URL and CREDENTIAL_KEYS_FILE name a deployment."""


@app.command(name="list")
def list_keys(*, state: State = None) -> None:
    """Tell which keys there are, which one is current, and how many connections each protects."""
    _hand_over(state, "list")


@app.command
def add(key_id: str = "", *, state: State = None, wait: float | None = None) -> None:
    """Make a new key, of this id or one of today's date. It seals nothing before `rotate` makes it current.

    Parameters
    ----------
    key_id
        The key.
    state
        Folder of a running `showbill up`.
    wait
        Seconds that running services have to learn of it, two minutes unless said: a mounted secret takes its time.
    """
    _hand_over(state, "add", key_id, *_patience(wait))


@app.command
def rotate(key_id: str = "", *, state: State = None, wait: float | None = None) -> None:
    """Make a key current, the newest unless one is named, and wrap every connection's data key under it.

    Nothing stops meanwhile. When it was cut off, give it again: it goes on with what is left.

    Parameters
    ----------
    key_id
        The key.
    state
        Folder of a running `showbill up`.
    wait
        Seconds that running services have to learn of it, two minutes unless said: a mounted secret takes its time.
    """
    _hand_over(state, "rotate", key_id, *_patience(wait))


@app.command
def retire(key_id: str, *, state: State = None, lost: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Forget a key that protects nothing any more.

    Parameters
    ----------
    key_id
        The key.
    state
        Folder of a running `showbill up`.
    lost
        The key is gone for good: destroy what only it could open, and let those connections be made again.
    """
    _hand_over(state, "retire", key_id, *(["--lost"] if lost else []))


def _patience(wait: float | None) -> list[str]:
    return [] if wait is None else [f"--wait={wait}"]


def _hand_over(state: Path | None, *words: str) -> NoReturn:
    """Becomes the command of integrations; comes back only when it cannot be told where."""
    try:
        environment = keys_environment(state, os.environ)
    except Complaint as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(1)
    command = (sys.executable, "-P", "-m", "services.integrations.keys", *words)
    os.execve(sys.executable, command, environment)  # noqa: S606 - a shell is what we want to avoid
