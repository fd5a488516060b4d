"""The `run` script on machines that lack something: each program that it calls is played by a small script."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "run"
TOOLS = ("sh", "cat", "cut", "dirname", "head", "mkdir", "mv", "rm", "sort")
GOOD_UV = """
case $1 in
--version) echo "uv ${FAKE_UV_VERSION:-0.13.9}" ;;
*) echo "uv $*" >&2; mkdir -p "$FAKE_ROOT/.venv/bin"; cp "$FAKE_ROOT/venv-python" "$FAKE_ROOT/.venv/bin/python" ;;
esac
"""
PYTHON = """
case "$*" in
*"(3, 11) <="*) exit "${FAKE_PYTHON_UNFIT:-0}" ;;
*--version*) echo "Python 3.9.2" ;;
*print*) echo python3.11-venv ;;
"-m venv "*)
    [ -e "$FAKE_ROOT/venv-installed" ] || exit 1
    mkdir -p "$3/bin"; cp "$FAKE_ROOT/pip-python" "$3/bin/python" ;;
esac
"""


class Machine:
    """A folder with a copy of the script, and a PATH that holds only what is put there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copy(RUN, folder / "run")
        for tool in (*TOOLS, "cp"):
            found = shutil.which(tool)
            assert found is not None, tool
            (self.bin / tool).symlink_to(found)
        self.put("venv-python", 'echo "ran $*, state $SHOWBILL_STATE"', folder)
        self.put("pip-python", f'echo "pip $*" >&2; cp "{folder}/good-uv" "$(dirname "$0")/uv"', folder)
        self.put("good-uv", GOOD_UV, folder)
        self.put("id", "echo 1000")

    def put(self, name: str, script: str, folder: Path | None = None) -> None:
        """A program of this name on the PATH, or in the folder given."""
        path = (folder or self.bin) / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        fixed = {"PATH": str(self.bin), "FAKE_ROOT": str(self.root)}
        return subprocess.run(
            (str(self.root / "run"), *arguments), env=fixed | environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_arguments_it_tells_what_it_can_do(machine: Machine) -> None:
    told = machine.run().stdout
    for command in ("./run up", "./run demo", "./run test", "./run check"):
        assert command in told


def test_unfit_python_is_told_with_the_one_to_install(machine: Machine) -> None:
    machine.put("python3", PYTHON)
    done = machine.run("up", FAKE_PYTHON_UNFIT="1")
    assert done.returncode == 1
    assert "Showbill needs Python 3.11, 3.12, 3.13 or 3.14, and here is Python 3.9.2." in done.stderr


def test_pythons_looked_for_are_those_the_project_allows() -> None:
    allowed = tomllib.loads((RUN.parent / "pyproject.toml").read_text())["project"]["requires-python"]
    lowest, beyond = re.findall(r"3\.(\d+)", allowed)
    script = RUN.read_text()
    assert f"not (3, {lowest}) <= sys.version_info < (3, {beyond})" in script
    assert all(f"python3.{minor} " in script for minor in range(int(lowest), int(beyond)))


def test_machine_without_python_is_told(machine: Machine) -> None:
    done = machine.run("up")
    assert done.returncode == 1
    assert "and here is no python3. Install one of them" in done.stderr


def test_missing_venv_module_is_told_to_who_is_not_root(machine: Machine) -> None:
    machine.put("python3", PYTHON)
    done = machine.run("up")
    assert done.returncode == 1
    assert "sudo apt-get install python3.11-venv" in done.stderr
    assert list(machine.root.glob(".bootstrap*")) == []


def test_missing_venv_module_is_installed_for_root(machine: Machine) -> None:
    machine.put("python3", PYTHON)
    machine.put("id", "echo 0")
    machine.put("apt-get", '[ "$1" = update ] || { : >"$FAKE_ROOT/venv-installed"; echo "apt $*" >&2; }')
    done = machine.run("up", "--once")
    assert "apt install -q -y --no-install-recommends python3.11-venv" in done.stderr
    assert "pip -m pip install --quiet --disable-pip-version-check uv==0.13.9" in done.stderr
    assert done.stdout == f"ran -P -m services.cli up --once, state {machine.root}/.showbill\n"


def test_second_start_installs_nothing_again(machine: Machine) -> None:
    machine.put("python3", PYTHON)
    (machine.root / "venv-installed").touch()
    assert "pip" in machine.run("up").stderr
    second = machine.run("up")
    assert second.stderr == f"uv sync --project {machine.root} --locked --quiet --no-dev --inexact\n"
    assert second.stdout.startswith("ran -P -m services.cli up")


def test_uv_of_the_machine_is_used_when_new_enough(machine: Machine) -> None:
    machine.put("uv", GOOD_UV)
    machine.put("python3", PYTHON)
    assert "ran -P" in machine.run("up", FAKE_UV_VERSION="0.14.0").stdout
    assert not (machine.root / ".bootstrap").exists()


def test_uv_that_is_too_old_is_left_alone(machine: Machine) -> None:
    machine.put("uv", 'echo "uv 0.9.30"')
    machine.put("python3", PYTHON)
    (machine.root / "venv-installed").touch()
    assert "ran -P" in machine.run("up").stdout
    assert (machine.root / ".bootstrap" / "bin" / "uv").exists()


def test_uv_is_not_led_astray_by_a_mirror(machine: Machine) -> None:
    machine.put("uv", 'echo "index=${UV_DEFAULT_INDEX-none}" >&2' + GOOD_UV)
    machine.put("python3", PYTHON)
    assert "index=none\nuv sync" in machine.run("up", UV_DEFAULT_INDEX="https://mirror.example/simple").stderr


def test_chosen_state_folder_is_kept(machine: Machine) -> None:
    machine.put("uv", GOOD_UV)
    machine.put("python3", PYTHON)
    assert "state /elsewhere" in machine.run("up", SHOWBILL_STATE="/elsewhere").stdout


def test_tests_name_chromium_when_it_is_missing(machine: Machine) -> None:
    machine.put("uv", GOOD_UV)
    machine.put("python3", PYTHON)
    (machine.root / "tests" / "browser").mkdir(parents=True)
    done = machine.run("test")
    assert done.returncode == 1
    assert "The browser tests need Chromium." in done.stderr
    assert "ran -m pytest -q" in machine.run("test", "-q", CHROMIUM_PATH="/bin/sh").stdout


def test_all_tests_go_to_several_workers_and_some_to_one(machine: Machine) -> None:
    machine.put("uv", GOOD_UV)
    machine.put("python3", PYTHON)
    machine.put("getconf", "echo 1")
    assert "ran -m pytest --numprocesses 2 --dist loadfile" in machine.run("test", CHROMIUM_PATH="/bin/sh").stdout
    machine.put("getconf", "echo 16")
    assert "ran -m pytest --numprocesses 4 --dist loadfile" in machine.run("test", CHROMIUM_PATH="/bin/sh").stdout
    assert "ran -m pytest tests/common, state" in machine.run("test", "tests/common", CHROMIUM_PATH="/bin/sh").stdout


def test_quicker_browser_is_taken_where_there_are_two(machine: Machine) -> None:
    machine.put("uv", GOOD_UV)
    machine.put("python3", PYTHON)
    machine.put("venv-python", 'echo "$CHROMIUM_PATH"', machine.root)
    (machine.root / "tests" / "browser").mkdir(parents=True)
    machine.put("chromium", "true")
    machine.put("chromium-headless-shell", "true")
    assert "chromium-headless-shell" in machine.run("test").stdout
