"""What the kernel says of processes."""

from pathlib import Path


def is_running(pid: int) -> bool:
    """False too for one that has ended and waits to be collected."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def descendants(pid: int) -> list[int]:
    """All that descend from a process, the process itself not among them."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: list[int] = []
    level = {pid}
    while level := {child for child, parent in parents.items() if parent in level}:
        found += level
    return found


def holders_of(path: Path) -> list[int]:
    """Processes that have a file under `path` open or that name it in their arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            opened = [str(link.readlink()) for link in (entry / "fd").iterdir()]
            named = (entry / "cmdline").read_text()
        except OSError:
            continue
        if str(path) in named or any(name.startswith(str(path)) for name in opened):
            found.append(int(entry.name))
    return found
