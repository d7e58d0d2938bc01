"""Lets initdb run for a user id without a name, such as a container's `--user 1234`.

Of all the server programs only initdb insists that the user database knows its user. In a user namespace of its own, in
which our id stands under the id of `nobody`, it finds a name; outside, the files are ours all the same.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path

from app.embedded.errors import EmbeddedUnavailable

CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
REFUSED = 71  # EX_OSERR, the exit status when the kernel allows us no namespace


def has_name(uid: int) -> bool:
    """Whether the user database knows this id."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def borrow_a_name() -> Callable[[], None] | None:
    """What a child does between fork and exec to appear under another id; None where our id has a name."""
    uid, gid = os.geteuid(), os.getegid()
    if has_name(uid):
        return None
    if sys.platform != "linux":
        raise EmbeddedUnavailable(f"User {uid} has no name in the user database, which Postgres needs to make its data directory.")
    other = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    unshare = ctypes.CDLL(None, use_errno=True).unshare

    def enter_namespace() -> None:
        if unshare(CLONE_NEWUSER) != 0:
            os._exit(REFUSED)
        try:
            _map("setgroups", "deny")
            _map("uid_map", f"{other.pw_uid} {uid} 1")
            _map("gid_map", f"{other.pw_gid} {gid} 1")
        except OSError:
            os._exit(REFUSED)

    return enter_namespace


def _map(name: str, text: str) -> None:
    Path("/proc/self", name).write_text(text)
