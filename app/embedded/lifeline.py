"""Makes a child process end when this one does, however this one ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def with_parent(ends_by: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: the kernel sends the child this signal when the thread that started it ends.

    None where the kernel does not offer it; `watch` does the same there. The library is loaded here, before the fork.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(ends_by), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask_the_kernel


def watch(pid: int, ends_by: signal.Signals) -> int | None:
    """Where the kernel does not offer it, start a helper that signals `pid` when a pipe that we hold open closes.

    Returns our end of the pipe, to be closed once the child was waited for; None where no helper is needed.
    """
    if sys.platform == "linux":
        return None
    theirs, ours = os.pipe()
    command = [sys.executable, "-P", "-m", "app.embedded.watcher", str(pid), str(int(ends_by))]
    subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(theirs)
    return ours
