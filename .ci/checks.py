"""All checks, each a name and a command. Prints ok or FAILED for each, with the output of those that failed.

./run check              all of them
./run check types lint   only these
"""

import filecmp
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST_CONTRACTS = "protos/v0.1.binpb"
"""The contracts as they were at the tag v0.1. An image, since a clone need not have the tags."""
LOCK_HOSTS = {
    "uv.lock": {"pypi.org", "files.pythonhosted.org"},
    "package-lock.json": {"registry.npmjs.org"},
}

Check = Callable[[], str]
"""Gives what is wrong, or nothing."""


def command(*words: str) -> Check:
    """A check that is a program: what it prints is what is wrong, when it fails."""

    def run() -> str:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"

    return run


def generated_fresh() -> str:
    """The stubs in services/rpc are what the contracts generate now."""
    with tempfile.TemporaryDirectory() as folder:
        if problem := command("sh", "protos/generate.sh", folder)():
            return problem
        fresh, kept = Path(folder, "services", "rpc"), ROOT / "services" / "rpc"
        stale = sorted(path for path in _files(fresh) | _files(kept) if not _same(fresh / path, kept / path))
    return "\n".join(f"services/rpc/{path} is not what protos/ generates. Run: make protos" for path in stale)


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".py", ".pyi")}


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and filecmp.cmp(one, other, shallow=False)


def lock_hosts() -> str:
    """Lock files name the public registries and nobody's mirror."""
    problems = []
    for name, allowed in LOCK_HOSTS.items():
        path = ROOT / name
        hosts = set(re.findall(r"https?://([^/\s\"']+)", path.read_text())) if path.exists() else set()
        problems += [f"{name} names the host {host}." for host in sorted(hosts - allowed)]
    return "\n".join(problems)


def compose() -> str:
    """The compose file keeps to the schema."""
    files = sorted(str(path) for path in (ROOT / "deploy").glob("*compose*.y*ml"))
    return command("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)() if files else ""


def shell() -> str:
    """Every script can be read by the shell that it names."""
    scripts = ("run", ".ci/run", "protos/generate.sh", "deploy/postgres/databases.sh")
    return "\n".join(filter(None, (command(_shell_of(script), "-n", script)() for script in scripts)))


def _shell_of(script: str) -> str:
    return (ROOT / script).read_text().partition("\n")[0].split("/")[-1].split()[-1]


CHECKS: dict[str, Check] = {
    "format": command("ruff", "format", "--check", "."),
    "lint": command("ruff", "check", "."),
    "types": command("mypy"),
    "types-of-ci": command("mypy", ".ci/checks.py"),
    "imports": command("lint-imports"),
    "proto-lint": command("buf", "lint", "protos"),
    "proto-format": command("buf", "format", "protos", "--diff", "--exit-code"),
    "proto-breaking": command("buf", "breaking", "protos", "--against", FIRST_CONTRACTS),
    "generated": generated_fresh,
    "lock-hosts": lock_hosts,
    "compose": compose,
    "shell": shell,
}


def main() -> int:
    """0 when all that was asked for is well, 1 when something is wrong, 2 when a name is unknown."""
    names = sys.argv[1:] or list(CHECKS)
    if unknown := [name for name in names if name not in CHECKS]:
        print(f"No such check: {', '.join(unknown)}. There are: {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    # The tools of our own environment come first, whoever else's are installed.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    failed = [name for name in names if not _passes(name)]
    print(f"{len(failed)} of {len(names)} checks failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _passes(name: str) -> bool:
    begun = time.monotonic()
    problem = CHECKS[name]()
    print(f"{name:<15} {'FAILED' if problem else 'ok':<6} {time.monotonic() - begun:5.1f} s", flush=True)
    if problem:
        print("\n".join(f"    {line}" for line in problem.splitlines()), flush=True)
    return not problem


if __name__ == "__main__":
    sys.exit(main())
