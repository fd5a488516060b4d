"""The state folder, its lock and its secrets."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli import generated
from services.cli.complaint import Complaint
from services.cli.state import StateFolder


def made(path: Path) -> StateFolder:
    folder = StateFolder(path)
    folder.make()
    return folder


def test_nobody_else_may_enter_the_folder(tmp_path: Path) -> None:
    folder = made(tmp_path / "state")
    generated.load(folder.secrets)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o600


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Complaint, match=r"file/state cannot be made: .* --state or SHOWBILL_STATE"):
        made(tmp_path / "file" / "state")


def test_second_copy_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    folder = made(tmp_path / "state")
    with (
        folder.locked(print),
        pytest.raises(Complaint, match=rf"already runs on {folder.path}, as process {os.getpid()}\."),
        StateFolder(folder.path).locked(print),
    ):
        pass


def test_lock_ends_with_its_holder(tmp_path: Path) -> None:
    folder = made(tmp_path / "state")
    with folder.locked(print):
        pass
    with folder.locked(print):
        pass


def test_start_waits_for_servers_that_a_killed_run_left(tmp_path: Path) -> None:
    """A child that inherited the lock keeps it, though the process whose pid the file holds is gone."""
    folder = made(tmp_path / "state")
    code = "import sys; sys.stdin.read()"
    with folder.locked(print) as lock:
        left = subprocess.Popen((sys.executable, "-c", code), stdin=subprocess.PIPE, pass_fds=(lock,))
        gone = subprocess.run(("true",), check=True)
        assert gone.returncode == 0
        os.pwrite(lock, b"4194305", 0)  # beyond the largest pid
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        assert left.stdin is not None
        left.stdin.close()

    with folder.locked(say):
        assert said == ["Waiting for the servers of the last run to end."]
    assert left.wait() == 0


def test_secrets_stay_the_same_at_a_second_start(tmp_path: Path) -> None:
    first = generated.load(tmp_path / "secrets.json")
    assert generated.load(tmp_path / "secrets.json") == first


def test_secrets_file_of_an_older_version_is_completed(tmp_path: Path) -> None:
    first = generated.load(tmp_path / "secrets.json")
    older = {name: value for name, value in first.items() if name != "demo_api_token"} | {"retired": "kept"}
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    second = generated.load(tmp_path / "secrets.json")
    assert {name for name in second if second[name] != first.get(name)} == {"demo_api_token", "retired"}


def test_service_that_is_new_since_an_older_version_is_known_to_the_others(tmp_path: Path) -> None:
    first = generated.load(tmp_path / "secrets.json")
    older = {name: value for name, value in first.items() if name != "messaging_signing_key"}
    older["service_public_keys"] = first["service_public_keys"].rpartition(",messaging=")[0]
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    second = generated.load(tmp_path / "secrets.json")
    assert {name for name in second if second[name] != first[name]} == {"messaging_signing_key", "service_public_keys"}
    assert second["service_public_keys"].startswith(older["service_public_keys"] + ",messaging=")


def test_keyring_of_an_older_version_moves_to_its_own_file(tmp_path: Path) -> None:
    key = generated.key_32()
    secrets_file, keyring = tmp_path / "secrets.json", tmp_path / "credential.keys"
    known = generated.load(secrets_file)
    secrets_file.write_text(json.dumps({**known, "credential_key_id": "local-1", "credential_key": key}))
    for _ in range(2):
        generated.make_keyring(secrets_file, keyring)
        assert keyring.read_text().splitlines()[1:] == [f"local-1={key}"]
        assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
        assert generated.load(secrets_file) == known


def test_damaged_secrets_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(Complaint, match="is damaged"):
        generated.load(tmp_path / "secrets.json")
    assert (tmp_path / "secrets.json").read_text() == "{"


def test_public_keys_belong_to_the_signing_keys(tmp_path: Path) -> None:
    from services.common.secret import Secret
    from services.common.tokens import parse_public_keys, public_key_of

    values = generated.load(tmp_path / "secrets.json")
    keys = parse_public_keys(values["service_public_keys"])
    assert set(keys) == {"gateway", "invoicing", "integrations", "claims", "messaging"}
    for name in keys:
        assert f"{name}={public_key_of(Secret(values[f'{name}_signing_key']))}" in values["service_public_keys"].split(
            ","
        )
