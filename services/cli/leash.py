"""Runs a command that dies with its parent, as another user where asked. Executed as a script, never imported.

    python -I -S leash.py <death signal> <parent pid> <as whom> <command> [argument ...]

<as whom> is `self`, `namespace:<uid>` (a user namespace in which we appear as that uid, files stay ours) or
`user:<uid>:<gid>` (become that user; needs root). The command replaces this process, so the pid stays the same.
A preexec_fn could do all this, but is unsafe once the parent has threads (gRPC starts some).
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
REFUSED = 126
"""Exit code when the kernel does not let us run as asked."""


def main() -> None:
    death_signal, parent, whom, *command = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a shell starts background jobs with SIGINT ignored
    try:
        _become(whom)
    except OSError as error:
        sys.exit(_refuse(f"cannot run as {whom}: {error.strerror}"))
    if sys.platform == "linux":
        # After the change of user, which clears it. The check closes the gap in which the parent died before it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != int(parent):
            sys.exit(_refuse("the supervisor is gone"))
    try:
        os.execvp(command[0], command)  # noqa: S606 - a shell is what we want to avoid
    except OSError as error:
        sys.exit(_refuse(f"cannot run {command[0]}: {error.strerror}"))


def _become(whom: str) -> None:
    kind, *ids = whom.split(":")
    if kind == "namespace":
        uid, gid = os.getuid(), os.getgid()
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{ids[0]} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{ids[0]} {gid} 1")
    elif kind == "user":
        os.setgroups([])
        os.setgid(int(ids[1]))
        os.setuid(int(ids[0]))


def _refuse(why: str) -> int:
    sys.stderr.write(f"leash: {why}\n")
    return REFUSED


if __name__ == "__main__":
    main()
