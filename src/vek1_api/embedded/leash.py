"""Become another program that dies with its owner; run as a script, never imported.

``python -I -S leash.py OWNER SIGNAL UID GID PROGRAM ARGUMENT...`` drops to the account
(``-1`` keeps this one), asks the kernel to send SIGNAL when the owner is gone, and executes
PROGRAM in its own place, so that the pid stays the same. It is a script rather than a
``preexec_fn``: code between fork and exec may deadlock in a process with threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Drop, leash, execute."""
    owner, signal_number, uid, gid = map(int, sys.argv[1:5])
    command = sys.argv[5:]
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the drop: a change of account clears the setting.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != owner:
        sys.exit("the owner was gone before the server started")
    os.execv(command[0], command)  # noqa: S606 - No shell is wanted.


if __name__ == "__main__":
    main()
