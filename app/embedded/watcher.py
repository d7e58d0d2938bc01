"""Ends a server when the process that started it is gone, for systems whose kernel does not offer that (macOS).

    python -m app.embedded.watcher PID SIGNAL

Standard input is a pipe that only the starting process holds open; it ends when that process ends, however it does.
"""

import contextlib
import os
import sys


def main(pid: int, signal_number: int) -> None:
    """Wait for the end of standard input, then send the signal; a server that is gone already needs none."""
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
