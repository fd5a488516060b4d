"""What the kernel says of processes."""

import socket
from pathlib import Path

LISTENING = "0A"


def is_running(pid: int) -> bool:
    """False too for one that has ended and waits to be collected."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
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


def arguments_of(pid: int) -> list[str]:
    """None of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def environment_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")


def listening_addresses(pids: list[int]) -> set[tuple[str, int]]:
    """Host and port of every TCP socket that one of the processes listens on."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                host, port = fields[1].split(":")
                words = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
                # gRPC listens on IPv4 by way of IPv6
                found.add((socket.inet_ntop(family, words).removeprefix("::ffff:"), int(port, 16)))
    return found


def _sockets(pid: int) -> list[str]:
    try:
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []
    return [name.removeprefix("socket:[").rstrip("]") for name in links if name.startswith("socket:")]
