"""Installs the npm packages that a folder's package-lock.json names; does nothing if that is done already.

    python3 scripts/node_packages.py FOLDER

They go into the folder's node_modules, which is not committed. What goes wrong is one sentence on standard error, after
npm's own words, and exit status 1.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from environment import CannotInstall


def install(folder: Path) -> None:
    """Bring node_modules up to date; of two that start at once, the second waits for the first."""
    need_node()
    with open(folder / "package-lock.json", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fingerprint = hashlib.sha256(lock.read() + (folder / "package.json").read_bytes()).hexdigest()
        stamp = folder / "node_modules" / ".installed"
        if not stamp.exists() or stamp.read_text() != fingerprint:
            _run_npm(folder)
            stamp.write_text(fingerprint)


def need_node() -> None:
    """Raises CannotInstall where a program is missing."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise CannotInstall(f"This needs {' and '.join(missing)} on the PATH (Node 18 or later; Debian: apt install nodejs npm).")


def _run_npm(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise CannotInstall("npm could not install the packages; its own words are above.")


if __name__ == "__main__":
    try:
        install(Path(os.path.abspath(sys.argv[1])))
    except CannotInstall as reason:
        print(reason, file=sys.stderr)
        sys.exit(1)
